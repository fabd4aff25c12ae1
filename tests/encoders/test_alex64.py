"""The paper's 64-pixel encoder has its parameters, its shapes and its pooling."""

from itertools import pairwise

import keras
import numpy as np
from keras import layers, ops

from dim.encoders import alex64_encoder


def test_the_papers_has_58_4_million_parameters_and_its_shapes():
    widths = [3, 96, 192, 384, 384, 192]
    convolutions = sum(3 * 3 * a * b for a, b in pairwise(widths))
    dense = 7 * 7 * 192 * 4096 + 4096 * 4096
    normalisations = 4 * (sum(widths[1:]) + 2 * 4096)
    encoder = alex64_encoder(gaussian=False)
    assert encoder.count_params() == convolutions + dense + normalisations + (4096 + 1) * 64 == 58_435_040
    pools = [layer.output.shape[1:] for layer in encoder.layers if isinstance(layer, layers.MaxPooling2D)]
    assert pools == [(31, 31, 96), (15, 15, 192), (7, 7, 192)]
    assert encoder.get_layer("conv").output.shape == (None, 7 * 7 * 192)
    assert encoder.get_layer("features").output.shape == (None, 4096)


def test_pooling_before_the_activation_gives_what_pooling_after_it_does(encoder_parts, images, pooling):
    encoder = alex64_encoder(16, 5)
    normalised, activated = encoder_parts(encoder, layers.BatchNormalization, layers.ReLU)
    x, found = (
        ops.convert_to_numpy(y) for y in keras.Model(encoder.input, [normalised, activated])(images(16))
    )
    np.testing.assert_allclose(found, pooling(np.maximum(x, 0), padding=0), atol=1e-6)
    assert x.min() < 0 < found.max()


def test_it_is_split_after_the_third_convolution_of_five():
    encoder = alex64_encoder(16, 5)
    names = [
        layer.name
        for layer in encoder.layers
        if isinstance(layer, layers.Conv2D) or layer.name == "feature_map"
    ]
    assert len(names) == 6 and names[3] == "feature_map"
