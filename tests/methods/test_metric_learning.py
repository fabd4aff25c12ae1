"""The Siamese model: its loss is that of its codes, two views share a label, missing labels."""

import numpy as np
import pytest
from keras import ops

from dim.encoders import MEAN, seed_encoder
from dim.layers.random_view import RandomView
from dim.layers.unit import unit
from dim.losses.metric_learning import LOSSES
from dim.methods import MetricLearning

S, D, B = 16, 5, 8
LABELS = np.arange(B) % 3
IDENTITY = {"area": 1.0, "aspect": 1.0, "brightness": 0, "contrast": 0, "channels": 0, "grey": 0}


def images(count=B):
    return np.random.default_rng(0).integers(0, 256, (count, S, S, 3), "uint8")


def build(loss="supcon", **options):
    model = MetricLearning(seed_encoder(S, D), loss, margin=0.7, temperature=0.3, **options)
    model.build((None, S, S, 3))
    return model


def value(x):
    return float(ops.convert_to_numpy(x))


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None].astype("uint8")], ids=["row", "column"])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_is_that_of_unit_codes_by_margin_or_temperature(loss, labels):
    codes = ops.convert_to_tensor(np.random.default_rng(1).normal(size=(B, D)).astype("float32"))
    expected = LOSSES[loss](unit(codes), LABELS, 0.3 if loss in ("supcon", "n-pair") else 0.7)
    assert value(build(loss).compute_loss(y=labels, y_pred={MEAN: codes})) == pytest.approx(value(expected))


def test_training_encodes_two_views_of_each_image_which_keep_its_label():
    model, seen = build(augmentation=RandomView(**IDENTITY)), []
    model.encoder.call = lambda x, training=None, mask=None: seen.append(x) or {MEAN: x}
    model(images(), training=True)
    for view in (
        ops.convert_to_numpy(seen[0])[i::2] for i in range(2)
    ):  # no more than a mirror image of its own
        mirrored = (view == images()[:, :, ::-1]).all(axis=(1, 2, 3))
        assert ((view == images()).all(axis=(1, 2, 3)) | mirrored).all()
    model(images(), training=False)
    np.testing.assert_array_equal(ops.convert_to_numpy(seen[1]), images())

    codes = ops.convert_to_tensor(np.random.default_rng(1).normal(size=(2 * B, D)).astype("float32"))
    both = value(model.compute_loss(y=LABELS, y_pred={MEAN: codes}, training=True))
    assert both == pytest.approx(value(LOSSES["supcon"](codes, np.repeat(LABELS, 2), 0.3)))
    alone = value(model.compute_loss(y=LABELS, y_pred={MEAN: codes[:B]}, training=False))
    assert alone == pytest.approx(value(LOSSES["supcon"](codes[:B], LABELS, 0.3)))


def test_the_terms_are_the_mean_cosines_of_same_and_different_pairs():
    model = build()
    codes = ops.convert_to_tensor([[1.0, 0], [1.0, 0], [0, 2.0], [0, -1.0]])
    model.compute_loss(y=np.array([0, 0, 1, 1]), y_pred={MEAN: codes})
    terms = {name: value(term.result()) for name, term in model.terms.items()}
    assert terms == pytest.approx({"same_cosine": 0.0, "different_cosine": 0.0})
    model.terms["same_cosine"].reset_state()
    model.compute_loss(y=np.array([0, 0, 1, 2]), y_pred={MEAN: codes})
    assert value(model.terms["same_cosine"].result()) == pytest.approx(1)


def test_without_labels_it_says_so(refused):
    model = build()
    with refused("fit on (images, labels)"):
        model.compute_loss(x=images(), y_pred=model(images(), training=True))


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="loss_name must be one of"):
        build("tripled")


def test_the_two_views_of_an_image_differ():
    model, seen = build(augmentation=RandomView()), []
    model.encoder.call = lambda x, training=None, mask=None: seen.append(x) or {MEAN: x}
    model(images(), training=True)
    first, second = (ops.convert_to_numpy(seen[0])[view::2] for view in range(2))
    assert all((one != other).any() for one, other in zip(first, second, strict=True))
