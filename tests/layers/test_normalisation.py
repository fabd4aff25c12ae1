"""The fused batch normalisation against Keras' own layer."""

import keras
import numpy as np
import pytest
from keras import ops

from dim.layers.normalisation import BatchNormalization


def pair_of_layers(dtype="float32", shape=(3, 4, 5, 7)):
    layers = BatchNormalization(dtype=dtype), keras.layers.BatchNormalization(dtype=dtype)
    rng = np.random.default_rng(0)
    weights = [rng.uniform(0.5, 2, 7) for _ in range(4)]
    for layer in layers:
        layer.build((None, *shape[1:]))
        layer.set_weights(weights)
    return layers


def maps(shape=(3, 4, 5, 7)):
    return np.random.default_rng(1).normal(2, 3, shape).astype("float32")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(3, 4, 5, 7), (9, 5, 7), (12, 7)])
def test_outputs_and_moving_statistics_are_those_of_keras(training, shape):
    ours, theirs = pair_of_layers(shape=shape)
    for _ in range(3):
        np.testing.assert_allclose(
            ops.convert_to_numpy(ours(maps(shape), training=training)),
            ops.convert_to_numpy(theirs(maps(shape), training=training)),
            rtol=1e-4,
            atol=1e-5,
        )
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_gradients_are_those_of_keras(gradient):
    ours, theirs = pair_of_layers()
    weights = np.random.default_rng(2).normal(size=maps().shape).astype("float32")
    found, expected = (
        gradient(lambda x, layer=layer: ops.sum(ops.multiply(weights, layer(x, training=True))), maps())
        for layer in (ours, theirs)
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_bfloat16_comes_out_as_bfloat16_and_close():
    ours, theirs = pair_of_layers("mixed_bfloat16")
    outputs = ours(maps(), training=True), theirs(maps(), training=True)
    assert all("bfloat16" in str(y.dtype) for y in outputs)
    one, other = (ops.convert_to_numpy(ops.cast(y, "float32")) for y in outputs)
    np.testing.assert_allclose(one, other, atol=0.05)


def test_a_frozen_layer_does_not_move():
    ours, _ = pair_of_layers()
    ours.trainable = False
    before = ours.get_weights()
    ours(maps(), training=True)
    for one, other in zip(before, ours.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
