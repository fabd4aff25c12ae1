"""What tests of encoders share: small images, encoders whose statistics fit them, gradients of weights."""

from functools import cache

import keras
import numpy as np
import pytest
from keras import ops

from dim.encoders import ENCODERS

SMALLEST = {"seed": 8, "basic32": 8, "alex64": 15, "resnet18": 8, "resnet18-thin": 8, "mobilenetv2": 32}


@pytest.fixture(scope="session")
def smallest():
    """The smallest side that each encoder takes, by name."""
    assert SMALLEST.keys() == ENCODERS.keys()
    return SMALLEST


@pytest.fixture(scope="session")
def images():
    """`images(size, count=3, seed=0)` draws uint8 images, of patches of 4×4 equal pixels."""

    def draw(size, count=3, seed=0):
        patches = np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), "uint8")
        return patches.repeat(4, 1).repeat(4, 2)[:, :size, :size]

    return draw


@pytest.fixture(scope="session")
def settled(smallest, images):
    """`settled(name)`: an encoder of smallest size, D = 5, that normalises by statistics of some images.

    With those that it is born with, a deep one would give next to nothing in inference. Tests share it
    and leave its weights as they were; statistics may move.
    """

    @cache
    def settled(name):
        model = ENCODERS[name](smallest[name], 5)
        normalisers = [layer for layer in leaves(model) if isinstance(layer, keras.layers.BatchNormalization)]
        momenta = [layer.momentum for layer in normalisers]
        for layer in normalisers:
            layer.momentum = 0.0
        model(images(smallest[name], count=16, seed=2), training=True)
        for layer, momentum in zip(normalisers, momenta, strict=True):
            layer.momentum = momentum
        return model

    return settled


@pytest.fixture(params=ENCODERS)
def name(request):
    return request.param


@pytest.fixture
def encoder(name, settled):
    """Each of them, settled."""
    return settled(name)


@pytest.fixture
def size(name, smallest):
    """Of the images that the encoder was made for."""
    return smallest[name]


def leaves(model):
    for layer in model.layers:
        yield from leaves(layer) if isinstance(layer, keras.Model) else (layer,)


@pytest.fixture(scope="session")
def weight_gradients():
    """`weight_gradients(model, images, name)`: of that output's mean, randomly weighted.

    In training. One array for each of the model's trainable variables, 0 where a variable does not take part.
    """

    def project(output):
        weights = np.random.default_rng(3).normal(size=tuple(output.shape)).astype("float32")
        return ops.mean(ops.multiply(ops.cast(output, "float32"), weights))

    def gradients(model, images, name):
        function = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()]
        found = function(model, images, lambda outputs: project(outputs[name]))
        return [
            np.zeros(variable.shape) if gradient is None else ops.convert_to_numpy(gradient)
            for variable, gradient in zip(model.trainable_variables, found, strict=True)
        ]

    return gradients


def _tensorflow(model, images, scalar):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        y = scalar(model(images, training=True))
    return tape.gradient(y, [variable.value for variable in model.trainable_variables])


def _jax(model, images, scalar):
    import jax

    state = [variable.value for variable in model.non_trainable_variables]

    def of(weights):
        return scalar(model.stateless_call(weights, state, images, training=True)[0])

    return jax.jit(jax.grad(of))([variable.value for variable in model.trainable_variables])


def _torch(model, images, scalar):
    for variable in model.trainable_variables:
        variable.value.grad = None
    scalar(model(images, training=True)).backward()
    return [variable.value.grad for variable in model.trainable_variables]


@pytest.fixture(scope="session")
def encoder_parts():
    """`encoder_parts(encoder, *kinds)`: the output of its first layer of each kind."""

    def first(encoder, *kinds):
        return [next(layer for layer in encoder.layers if isinstance(layer, kind)).output for kind in kinds]

    return first


@pytest.fixture(scope="session")
def convolution():
    """`convolution(x, kernel, stride, padding)` of [B, H, W, C], as PyTorch pads it, in NumPy."""

    def convolve(x, kernel, stride, padding):
        windows = _windows(np.pad(x, _around(padding)), len(kernel), stride)
        return np.einsum("bhwcij,ijcu->bhwu", windows, kernel)

    return convolve


@pytest.fixture(scope="session")
def pooling():
    """`pooling(x, padding)`: 3×3 maxima of stride 2 of [B, H, W, C], as PyTorch pads them, in NumPy."""

    def pool(x, padding):
        return _windows(np.pad(x, _around(padding), constant_values=-np.inf), 3, 2).max((-2, -1))

    return pool


def _around(padding):
    return (0, 0), (padding, padding), (padding, padding), (0, 0)


def _windows(x, side, stride):
    return np.lib.stride_tricks.sliding_window_view(x, (side, side), (1, 2))[:, ::stride, ::stride]
