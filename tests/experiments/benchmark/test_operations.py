"""Counting against arithmetic by hand."""

import keras
import numpy as np
import pytest

from dim.configuration import Configuration
from dim.methods.build import build_model
from experiments.benchmark import operations


def test_convolutions_and_products_of_a_call_are_counted():
    B, H, W = 2, 7, 5
    images = keras.Input((H, W, 3), dtype="uint8")
    x = keras.layers.Conv2D(4, (3, 2), padding="same")(keras.layers.Rescaling(1 / 255)(images))
    model = keras.Model(images, keras.layers.Dense(6)(keras.layers.Flatten()(x)))
    count = operations.of_encoding(model, np.zeros((B, H, W, 3), "uint8"))
    assert count == 2 * B * (H * W * 4 * (3 * 2 * 3) + H * W * 4 * 6)


def test_a_training_step_is_forward_and_twice_backward_but_for_the_images():
    B, C, D, U, L = 5, 256, 12, 24, 16
    model = build_model(
        Configuration(
            views=1, image_size=8, code_size=D, critic_units=U, alpha=0, batch_size=B, precision="float32"
        )
    )
    first = 8 * 8 * C * 27
    encoder = first + 2 * (4 * 4 * C * 9 * C) + 2 * C * D
    critic = (2 * D * U + U * U) + L * (2 * C * U + U * U) + B * L * U
    expected = 2 * B * (3 * (encoder + critic) - first)
    images = np.random.default_rng(0).integers(0, 256, (B, 8, 8, 3), "uint8")
    assert operations.of_training_step(model, images) == pytest.approx(expected, rel=0.01)
