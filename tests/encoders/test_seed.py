"""The encoder of the seed model has the shapes and parameters of the original."""

import numpy as np
import pytest
from keras import Model, layers, ops

from dim.encoders import seed_encoder


@pytest.mark.parametrize(("size", "parameters"), [(64, 1_704_128), (32, 1_686_400)])
def test_it_has_the_parameters_of_the_original(size, parameters):
    assert seed_encoder(size, 256).count_params() == parameters


@pytest.mark.parametrize(("size", "side"), [(8, 4), (16, 4), (32, 4), (48, 6), (64, 4), (96, 6)])
def test_the_map_has_a_side_of_four_to_seven(size, side):
    shapes = seed_encoder(size, 5).compute_output_shape((None, size, size, 3))
    assert shapes["feature_map"] == (None, side, side, 256)


def test_pooling_before_the_activation_gives_what_pooling_after_it_does(encoder_parts, images):
    encoder = seed_encoder(8, 5)
    normalised, activated = encoder_parts(encoder, layers.BatchNormalization, layers.LeakyReLU)
    x, found = (ops.convert_to_numpy(y) for y in Model(encoder.input, [normalised, activated])(images(8)))
    x = np.where(x > 0, x, 0.2 * x)
    expected = x.reshape(3, 4, 2, 4, 2, -1).max((2, 4))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.min() < 0 < found.max()


def test_two_convolutions_follow_the_split_and_a_maximum_over_locations(images):
    encoder = seed_encoder(8, 5)
    names = [layer.name for layer in encoder.layers]
    above = encoder.layers[names.index("feature_map") :]
    assert sum(isinstance(layer, layers.Conv2D) for layer in above) == 2
    (last,) = [layer for layer in above if isinstance(layer, layers.LeakyReLU)][-1:]
    outputs = Model(encoder.input, [last.output, encoder.get_layer("features").output])(images(8))
    activated, features = (ops.convert_to_numpy(x) for x in outputs)
    np.testing.assert_array_equal(features, activated.max((1, 2)))
