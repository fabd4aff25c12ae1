import keras
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def float32_afterwards():
    """Puts back the global precision that a test may have changed."""
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def gradient():
    """Gradient of a scalar function of one array, as an array, on any backend."""
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()]


def _tensorflow(function, x):
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x).numpy()


def _jax(function, x):
    import jax

    return np.asarray(jax.grad(function)(x))


def _torch(function, x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    function(x).backward()
    return x.grad.numpy()


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
