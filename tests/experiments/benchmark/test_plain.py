"""What makes the model fast does not change what it computes."""

import keras
import numpy as np
import pytest

from dim.configuration import Configuration
from dim.methods.build import build_model
from dim.presets import PRESETS
from experiments.benchmark.plain import REWRITES, plain_model

STEPS, B, S = 20, 10, 32


def models(preset, *rewrites, **changes):
    small = {"image_size": S, "code_size": 16, "critic_units": 24, "batch_size": B, "precision": "float32"}
    model = build_model(Configuration(**{**vars(PRESETS[preset]()), **small, **changes}))
    return model, plain_model(model, rewrites)


def losses(model, steps=STEPS):
    images = np.random.default_rng(0).integers(0, 256, (steps, B, S, S, 3), "uint8")
    return [float(model.train_on_batch(x, return_dict=True)["loss"]) for x in images]


@pytest.mark.parametrize("preset", ["seed", "dim"])
def test_the_losses_of_twenty_steps_are_those_of_the_plain_model(preset):
    """With a small learning rate, since training itself magnifies the last digit of a sum."""
    ours, plain = models(preset, learning_rate=1e-5)
    np.testing.assert_allclose(losses(ours), losses(plain), rtol=1e-4)


@pytest.mark.parametrize(("preset", "rewrite"), [*(("seed", each) for each in REWRITES), ("dim", "fused")])
def test_each_rewrite_alone_starts_from_the_same_losses(preset, rewrite):
    ours, other = models(preset, rewrite)
    np.testing.assert_allclose(losses(ours, 2), losses(other, 2), rtol=3e-4)


def test_the_weights_go_from_one_to_the_other():
    ours, plain = models("seed")
    shapes = [[w.shape for w in m.get_weights()] for m in (ours, plain)]
    assert shapes[0] == shapes[1]
    x = np.random.default_rng(1).integers(0, 256, (B, S, S, 3), "uint8")
    codes = [m.encoder.predict(x, verbose=0)["mean"] for m in (ours, plain)]
    np.testing.assert_allclose(*codes, rtol=1e-4, atol=1e-5)


def test_the_plain_model_has_none_of_our_layers():
    _, plain = models("seed")
    kinds = {type(layer).__module__.split(".")[0] for layer in plain.encoder.layers}
    assert kinds == {"keras"}
    assert isinstance(plain.encoder, keras.Model)
