"""The supervised bracket: cross-entropy against a loop, chance, accuracy, labels that are missing."""

import math

import numpy as np
import pytest
from keras import ops

from dim.encoders import MEAN, seed_encoder
from dim.layers.random_view import RandomView
from dim.methods import Supervised

S, D, B, CLASSES = 16, 5, 8, 3


def images(count=B):
    return np.random.default_rng(0).integers(0, 256, (count, S, S, 3), "uint8")


def build(augmentation=None):
    model = Supervised(seed_encoder(S, D), CLASSES, augmentation)
    model.build((None, S, S, 3))
    return model


def value(x):
    return float(ops.convert_to_numpy(x))


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_the_loss_is_the_cross_entropy_of_a_loop(scale):
    rng, model = np.random.default_rng(1), build()
    codes, labels = (scale * rng.normal(size=(B, D))).astype("float32"), rng.integers(0, CLASSES, B)
    kernel, bias = rng.normal(size=(D, CLASSES)), rng.normal(size=CLASSES)
    model.logits.set_weights([kernel, bias])
    expected = hits = 0
    for code, label in zip(codes.astype("float64"), labels, strict=True):
        logits = [sum(code[d] * kernel[d, c] for d in range(D)) + bias[c] for c in range(CLASSES)]
        top = max(logits)
        expected += top + math.log(sum(math.exp(logit - top) for logit in logits)) - logits[label]
        hits += logits[label] == top
    loss = model.compute_loss(y=labels, y_pred={MEAN: ops.convert_to_tensor(codes)})
    assert value(loss) == pytest.approx(expected / B, rel=1e-4)
    assert value(model.terms["accuracy"].result()) == pytest.approx(hits / B)


def test_chance_is_the_logarithm_of_the_number_of_classes():
    model = build()
    loss = model.compute_loss(y=np.zeros(B, int), y_pred={MEAN: ops.zeros((B, D))})
    assert value(loss) == pytest.approx(math.log(CLASSES))


@pytest.mark.parametrize("kind", ["int64", "uint8", "column"])
def test_labels_may_be_any_integers(kind):
    model, labels = build(), np.arange(B) % CLASSES
    y_pred = model(images(), training=False)
    expected = value(model.compute_loss(y=labels, y_pred=y_pred))
    labels = labels[:, None] if kind == "column" else labels.astype(kind)
    assert value(model.compute_loss(y=labels, y_pred=y_pred)) == pytest.approx(expected)


def test_without_labels_it_says_so(refused):
    model = build()
    with refused("fit on (images, labels)"):
        model.compute_loss(x=images(), y_pred=model(images(), training=True))


def test_training_shows_one_view_of_each_image_and_nothing_else_does():
    model, seen = build(RandomView()), []
    model.encoder.call = lambda x, training=None, mask=None: seen.append(x) or {MEAN: x}
    model(images(), training=True)
    view, unchanged = ops.convert_to_numpy(seen[0]), images()
    assert view.shape == unchanged.shape
    assert all((one != other).any() for one, other in zip(view, unchanged, strict=True))
    model(images(), training=False)
    np.testing.assert_array_equal(ops.convert_to_numpy(seen[1]), unchanged)
