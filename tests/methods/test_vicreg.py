"""VICReg: each term against a loop, known values, and how they are put together."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from dim.encoders import MEAN, seed_encoder
from dim.layers.random_view import RandomView
from dim.methods import VICReg, expander
from dim.methods.vicreg import covariance, invariance, variance

S, D, U, B = 16, 5, 7, 6
IDENTITY = {"area": 1.0, "aspect": 1.0, "brightness": 0, "contrast": 0, "channels": 0, "grey": 0}


def embeddings(seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(1, scale, (B, U)).astype("float32")


def value(x):
    return float(ops.convert_to_numpy(x))


def loop_covariance(z, u, v):
    mean_u, mean_v = sum(z[:, u]) / B, sum(z[:, v]) / B
    return sum((z[b, u] - mean_u) * (z[b, v] - mean_v) for b in range(B)) / (B - 1)


def loops(one, other):
    one, other = one.astype("float64"), other.astype("float64")
    difference = sum((one[b, u] - other[b, u]) ** 2 for b in range(B) for u in range(U)) / (B * U)
    lack = sum(max(0, 1 - math.sqrt(loop_covariance(one, u, u) + 1e-4)) for u in range(U)) / U
    together = sum(loop_covariance(one, u, v) ** 2 for u in range(U) for v in range(U) if u != v) / U
    return difference, lack, together


@pytest.mark.parametrize("scale", [0.3, 1.0, 30.0])
def test_the_terms_are_those_of_loops(scale):
    one, other = embeddings(0, scale), embeddings(1, scale)
    expected = loops(one, other)
    one, other = ops.convert_to_tensor(one), ops.convert_to_tensor(other)
    results = value(invariance(one, other)), value(variance(one)), value(covariance(one))
    assert results == pytest.approx(expected, rel=1e-4)


def test_known_values():
    same = ops.ones((B, U))
    assert value(invariance(same, same)) == 0 and value(invariance(same, same + 2)) == 4
    assert value(variance(same)) == pytest.approx(0.99) and value(covariance(same)) == 0
    spread = ops.convert_to_tensor([[-3.0, 1.0], [3.0, 1.0], [-3.0, -1.0], [3.0, -1.0]])
    assert value(variance(spread)) == 0 and value(covariance(spread)) == pytest.approx(0, abs=1e-6)
    doubled = ops.convert_to_tensor([[-1.0, -1.0], [1.0, 1.0]])  # covariance 2, twice, over 2 dimensions
    assert value(covariance(doubled)) == pytest.approx(4)


def test_gradients_are_finite_where_all_embeddings_are_the_same(gradient):
    for term in variance, covariance:
        assert np.isfinite(gradient(term, np.ones((B, U), "float32"))).all()


def test_each_term_pulls_the_way_it_should(gradient):
    few = embeddings(scale=0.1)
    centred = few - few.mean(axis=0)
    assert (gradient(variance, few) * centred).sum() < 0  # descent spreads them
    correlated = np.repeat(embeddings()[:, :1], U, axis=1)
    after = correlated - 0.01 * gradient(covariance, correlated)
    assert value(covariance(ops.convert_to_tensor(after))) < value(
        covariance(ops.convert_to_tensor(correlated))
    )
    other = ops.convert_to_tensor(embeddings(1))
    towards = gradient(lambda one: invariance(one, other), embeddings(0))
    assert ((embeddings(1) - embeddings(0)) * towards).sum() < 0


def build(augmentation):
    model = VICReg(seed_encoder(S, D), expander(U), augmentation)
    model.build((None, S, S, 3))
    return model


def test_the_loss_weighs_the_terms_of_the_two_halves_as_in_the_paper():
    model = build(RandomView())
    model.expander.call = lambda code, training=None, mask=None: code
    one, other = embeddings(0, 0.5), embeddings(1, 0.5)
    y_pred = {MEAN: ops.convert_to_tensor(np.stack([one, other], axis=1).reshape(-1, one.shape[1]))}
    invariant, lack, together = loops(one, other)
    _, other_lack, other_together = loops(other, one)
    expected = 25 * invariant + 25 * (lack + other_lack) / 2 + together + other_together
    assert value(model.compute_loss(y_pred=y_pred, training=True)) == pytest.approx(expected, rel=1e-4)
    terms = {name: value(term.result()) for name, term in model.terms.items()}
    assert terms["invariance"] == pytest.approx(invariant, rel=1e-4)
    assert terms["variance"] == pytest.approx((lack + other_lack) / 2, rel=1e-4)
    assert terms["covariance"] == pytest.approx(together + other_together, rel=1e-4)


def test_training_encodes_two_views_of_each_image_in_order():
    images = np.random.default_rng(0).integers(0, 256, (B, S, S, 3), "uint8")
    model, seen = build(RandomView(**IDENTITY)), []
    model.encoder.call = lambda x, training=None, mask=None: seen.append(x) or {MEAN: x}
    model(images, training=True)
    first, second = (ops.convert_to_numpy(seen[0])[view::2] for view in range(2))
    for view in first, second:  # no more than a mirror image of its own
        mirrored = (view == images[:, :, ::-1]).all(axis=(1, 2, 3))
        assert ((view == images).all(axis=(1, 2, 3)) | mirrored).all()
    model(images, training=False)
    np.testing.assert_array_equal(ops.convert_to_numpy(seen[1]), images)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_embeddings_are_float32_in_any_precision(precision):
    keras.config.set_dtype_policy(precision)
    assert "float32" in str(expander(U)(np.zeros((B, D), "float32")).dtype)


def test_the_expander_has_the_layers_of_the_paper():
    layers = expander(U)
    layers.build((None, D))
    kinds = [type(layer).__name__ for layer in layers.layers]
    assert kinds == [*["Dense", "BatchNormalization", "ReLU"] * 2, "Dense"]
    assert layers.count_params() == (D + 1) * U + (U + 1) * U + 2 * 4 * U + U * U


def test_one_view_is_refused(refused):
    with refused("needs an augmentation"):
        build(None)


def test_the_two_views_of_an_image_differ():
    model, seen = build(RandomView()), []
    model.encoder.call = lambda x, training=None, mask=None: seen.append(x) or {MEAN: x}
    model(np.random.default_rng(0).integers(0, 256, (B, S, S, 3), "uint8"), training=True)
    first, second = (ops.convert_to_numpy(seen[0])[view::2] for view in range(2))
    assert all((one != other).any() for one, other in zip(first, second, strict=True))
