"""The paper's 32-pixel encoder has its parameters, its shapes and its padding."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from dim.encoders import basic32_encoder


def parameters(size, D):
    convolutions = 4 * 4 * (3 * 64 + 64 * 128 + 128 * 256)
    normalisations = 4 * (64 + 128 + 256 + 1024)
    return convolutions + normalisations + (size // 8) ** 2 * 256 * 1024 + (1024 + 1) * D


@pytest.mark.parametrize(("size", "D"), [(32, 64), (32, 7), (21, 5), (64, 3)])
def test_the_parameters_are_those_of_the_formula(size, D):
    assert basic32_encoder(size, D, gaussian=False).count_params() == parameters(size, D)


def test_the_papers_has_4_92_million():
    assert basic32_encoder(gaussian=False).count_params() == parameters(32, 64) == 4_924_224


def test_layers_have_the_shapes_of_the_paper():
    encoder = basic32_encoder()
    convolutions = [layer.output.shape[1:] for layer in encoder.layers if isinstance(layer, layers.Conv2D)]
    assert convolutions == [(16, 16, 64), (8, 8, 128), (4, 4, 256)]
    assert encoder.get_layer("conv").output.shape == (None, 4 * 4 * 256)
    assert encoder.get_layer("features").output.shape == (None, 1024)


@pytest.mark.parametrize("size", [8, 9])
def test_convolutions_are_padded_by_one_pixel_on_each_side(size, images, convolution):
    encoder = basic32_encoder(size, 5)
    (layer, *_) = [layer for layer in encoder.layers if isinstance(layer, layers.Conv2D)]
    (kernel,) = layer.get_weights()
    expected = convolution(images(size) / 127.5 - 1, kernel, stride=2, padding=1)
    found = ops.convert_to_numpy(keras.Model(encoder.input, layer.output)(images(size)))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_it_is_split_after_the_second_convolution_of_three():
    encoder = basic32_encoder(16, 5)
    kinds = layers.Conv2D, layers.Identity
    names = [layer.name for layer in encoder.layers if isinstance(layer, kinds)]
    assert names[2] == "feature_map" and encoder.output["feature_map"].shape == (None, 4, 4, 128)
