"""Two towers as a method: its loss, masks, terms, learning, saving, and codes of all films."""

import keras
import numpy as np
import pytest
from keras import ops

from dim.data.films import NextFilms, counts, features
from dim.data.leave_last_out import leave_last_out
from dim.data.made_ratings import made_ratings
from dim.encoders.towers import FilmTower, UserTower
from dim.losses.recommendation import LOSSES
from dim.methods.two_towers import TwoTowers, film_codes, user_codes

RATINGS = made_ratings()
SPLIT = leave_last_out(RATINGS)
M, U, D, N, B = 200, 120, 6, 4, 16


def build(loss="infonce"):
    keras.utils.set_random_seed(0)
    bags = features(RATINGS)
    model = TwoTowers(FilmTower(M, bags.shape[1], D), UserTower(U, D, N), loss, margin=0.7, temperature=0.3)
    model.build()
    model.encoder.describe(bags, counts(SPLIT, M) > 0)
    model.compile(keras.optimizers.Adam(0.01))
    return model


def value(x):
    return float(ops.convert_to_numpy(x))


def batches(seed=0):
    return NextFilms(SPLIT, M, N, B, seed)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_is_that_of_the_cosines_of_users_and_films(loss):
    model, (batch,) = build(loss), batches()[0]
    users = ops.convert_to_numpy(model(batch))
    films = film_codes(model)[batch["film"] - 1]
    assert np.allclose(np.linalg.norm(users, axis=1), 1, atol=1e-5)
    rest = (ops.convert_to_tensor(batch[name]) for name in ("negatives", "log_share"))
    expected = LOSSES[loss](ops.convert_to_tensor(users @ films.T), *rest, 0.7 if loss == "triplet" else 0.3)
    found = model.compute_loss(x=batch, y_pred=model(batch))
    assert value(found) == pytest.approx(value(expected), rel=1e-4)
    terms = {name: value(term.result()) for name, term in model.terms.items()}
    cosines = users @ films.T
    assert terms["true_cosine"] == pytest.approx(cosines.diagonal().mean(), abs=1e-5)
    assert terms["mismatched_cosine"] == pytest.approx(cosines[batch["negatives"]].mean(), abs=1e-5)


def test_it_learns_and_comes_back_from_a_file_with_its_optimizer(tmp_path):
    model = build()
    history = model.fit(batches(), steps_per_epoch=40, epochs=3, shuffle=False, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] - 0.2
    assert history["true_cosine"][-1] > history["mismatched_cosine"][-1] + 0.2
    model.save(tmp_path / "model.keras")
    twin = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(film_codes(twin), film_codes(model), atol=1e-6)
    assert int(ops.convert_to_numpy(twin.optimizer.iterations)) == 120 and twin.temperature == 0.3


def test_codes_of_many_are_those_of_few(monkeypatch):
    model = build()
    user, history = np.arange(1, 8), np.arange(28).reshape(7, N)
    codes, users = film_codes(model), user_codes(model, user, history)
    assert codes.shape == (M, D) and users.shape == (7, D)
    monkeypatch.setattr("dim.methods.two_towers._AT_ONCE", 3)
    np.testing.assert_allclose(film_codes(model), codes, atol=1e-6)
    np.testing.assert_allclose(user_codes(model, user, history), users, atol=1e-6)


def test_a_loss_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="loss_name must be one of"):
        TwoTowers(FilmTower(M, 3), UserTower(U), "warp")
