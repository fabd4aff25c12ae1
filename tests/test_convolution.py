"""Our convolution is Keras' own: values, gradients, weights, and when it takes another way."""

import keras
import numpy as np
import pytest
from keras import ops

from dim.convolution import Conv2D, _kernel_gradient

B, H, W, C, F = 5, 4, 7, 6, 3


def inputs(shape=(B, H, W, C), seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def test_the_kernel_gradient_equals_a_loop():
    x, upstream = inputs(), inputs((B, H, W, F), seed=1)
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    expected = np.zeros((3, 3, C, F))
    for b in range(B):
        for row in range(H):
            for column in range(W):
                for i in range(3):
                    for j in range(3):
                        expected[i, j] += np.outer(padded[b, row + i, column + j], upstream[b, row, column])
    np.testing.assert_allclose(
        ops.convert_to_numpy(_kernel_gradient(ops.convert_to_tensor(x), ops.convert_to_tensor(upstream))),
        expected,
        rtol=1e-4,
        atol=1e-4,
    )


needs_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's gradient")


def pair(dtype="mixed_bfloat16", **options):
    ours, plain = (
        kind(F, 3, padding="same", dtype=dtype, **options) for kind in (Conv2D, keras.layers.Conv2D)
    )
    for layer in ours, plain:
        layer.build((None, H, W, C))
    plain.set_weights([inputs(w.shape, seed=2) for w in ours.get_weights()])
    ours.set_weights(plain.get_weights())
    return ours, plain


@needs_tensorflow
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_values_and_gradients_are_those_of_keras(dtype):
    import tensorflow as tf

    results = []
    for layer in pair(dtype):
        x = tf.constant(inputs())
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.cast(layer(x), "float32")
            loss = tf.reduce_sum(y * inputs((B, H, W, F), seed=3))
        results.append([y, *tape.gradient(loss, [x, *(w.value for w in layer.trainable_weights)])])
    tolerance = 1e-5 if dtype == "float32" else 2e-2
    for ours, keras_own in zip(*results, strict=True):
        scale = np.abs(keras_own.numpy()).max()
        np.testing.assert_allclose(ours.numpy(), keras_own.numpy(), atol=tolerance * scale)


@needs_tensorflow
@pytest.mark.parametrize(
    ("dtype", "shape", "options", "slow"),
    [
        ("mixed_bfloat16", (B, H, W, C), {}, True),
        ("mixed_bfloat16", (B, 8, 8, C), {}, True),
        ("mixed_bfloat16", (B, 9, 8, C), {}, False),
        ("float32", (B, H, W, C), {}, False),
        ("mixed_bfloat16", (B, H, W, C), {"strides": 2}, False),
        ("mixed_bfloat16", (B, H, W, C), {"dilation_rate": 2}, False),
        ("mixed_bfloat16", (B, H, W, C), {"groups": 3}, False),
    ],
)
def test_it_is_taken_only_where_tensorflow_is_slow(dtype, shape, options, slow, monkeypatch):
    monkeypatch.setattr("dim.convolution._on_cpu", lambda: True)
    layer = Conv2D(F, 3, padding="same", dtype=dtype, **options)
    assert layer._is_slow(ops.zeros(shape)) == slow


def test_it_does_the_same_as_keras_on_every_backend():
    ours, plain = pair("float32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(ours(inputs())), ops.convert_to_numpy(plain(inputs())), rtol=1e-4, atol=1e-4
    )
