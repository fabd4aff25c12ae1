"""The fused AdamW against Keras' own."""

import keras
import numpy as np
import pytest
from keras import ops

from dim.methods.optimizer import AdamW

SHAPES = [(3, 5), (7,), (2, 3, 4)]


def weights_and_gradients(dtype="float32"):
    rng = np.random.default_rng(0)
    variables = [keras.Variable(rng.normal(size=shape), dtype=dtype) for shape in SHAPES]
    steps = [[rng.normal(size=shape) * 10.0**-step for shape in SHAPES] for step in range(5)]
    return variables, steps


def numbers(variables):
    return [ops.convert_to_numpy(ops.cast(variable, "float32")) for variable in variables]


def trained(kind, dtype="float32", **settings):
    variables, steps = weights_and_gradients(dtype)
    optimizer = kind(**settings)
    for gradients in steps:
        optimizer.apply([ops.convert_to_tensor(g, dtype) for g in gradients], variables)
    return numbers(variables), numbers(optimizer.variables)


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": 0.1, "weight_decay": 0.0},
        {"learning_rate": 0.1, "weight_decay": 0.3},
        {"learning_rate": 0.01, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
        {"learning_rate": keras.optimizers.schedules.CosineDecay(0.1, 5)},
        {"learning_rate": 0.1, "clipnorm": 0.5},
        {"learning_rate": 0.1, "amsgrad": True},
    ],
    ids=lambda settings: ",".join(settings),
)
def test_weights_and_state_are_those_of_keras(settings):
    ours, theirs = trained(AdamW, **settings), trained(keras.optimizers.AdamW, **settings)
    for one, other in zip(ours, theirs, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=3e-5, atol=1e-5)


def test_weights_in_bfloat16_are_those_of_keras_nearly():
    ours, theirs = (trained(kind, "bfloat16")[0] for kind in (AdamW, keras.optimizers.AdamW))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=0.02)


def test_it_is_restored_as_itself():
    optimizer = AdamW(0.02, weight_decay=0.03, beta_1=0.8)
    twin = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(twin) is AdamW and twin.get_config() == optimizer.get_config()
