"""A Siamese model sees both of a pair by one encoder, and learns their grades."""

import keras
import numpy as np
import pytest
from keras import ops

from dim.data.tokens import tokenised
from dim.encoders import text_encoder
from dim.encoders.embedding import embed
from dim.losses.graded import GRADED
from dim.measures.distances import cosine_distance
from dim.methods import Siamese


@pytest.fixture
def pairs():
    rng = np.random.default_rng(0)
    sides = [[" ".join(f"w{i}" for i in rng.integers(0, 30, 4)) for _ in range(24)] for _ in range(2)]
    return np.stack([tokenised(side, 6) for side in sides], axis=1), rng.uniform(0, 1, 24).astype("float32")


def _model(loss="regression", dropout=0.0):
    keras.utils.set_random_seed(1)
    model = Siamese(text_encoder(16, dropout=dropout), loss)
    model.build((None, 2, 6))
    model.compile(keras.optimizers.Adam(0.02))
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.mark.parametrize("loss", GRADED)
def test_the_loss_is_that_of_the_cosines_of_each_pair(loss, pairs):
    tokens, grades = pairs
    model = _model(loss)
    one, other = (embed(model.encoder, tokens[:, side]) for side in (0, 1))
    cosines = 1 - cosine_distance(one, other).astype("float32")
    found = model.compute_loss(tokens, grades, model(tokens), training=False)
    expected = float(GRADED[loss](cosines, grades, 0.05))
    assert float(ops.convert_to_numpy(found)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("loss", GRADED)
def test_it_learns_grades_that_words_do_not_tell(loss, pairs):
    tokens, grades = pairs
    model = _model(loss)
    before = model.evaluate(tokens, grades, verbose=0, batch_size=24, return_dict=True)["loss"]
    model.fit(tokens, grades, epochs=40, batch_size=24, verbose=0)
    after = model.evaluate(tokens, grades, verbose=0, batch_size=24, return_dict=True)
    assert after["loss"] < 0.3 * before and "cosine" in after


def test_without_grades_or_with_an_unknown_loss_it_says_so(pairs, declined):
    with declined("graded pairs"):
        _model().compute_loss(pairs[0], None, {}, training=True)
    with pytest.raises(ValueError, match="regression"):
        Siamese(text_encoder(4), "regresion")


def test_it_is_saved_with_its_settings(pairs, tmp_path):
    model = _model("cosent")
    model.temperature = 0.3
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.loss_name, loaded.temperature) == ("cosent", 0.3)
    np.testing.assert_array_equal(embed(loaded.encoder, pairs[0][:, 0]), embed(model.encoder, pairs[0][:, 0]))
