"""ResNet-18 has the parameters of the published one, its stem for small images and its padding."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from dim.encoders import resnet18_encoder, resnet18_thin_encoder


@pytest.mark.parametrize("size", [8, 32, 64])
def test_the_parameters_are_those_of_the_published_network_with_a_three_by_three_stem(size):
    kernels, channels = 3 * 3 * 3 * 64, [64]
    for wide, narrow in (64, 64), (128, 64), (256, 128), (512, 256):
        kernels += 3 * 3 * wide * (narrow + 3 * wide) + (wide * narrow if wide != narrow else 0)
        channels += [wide] * (5 if wide != narrow else 4)
    encoder = resnet18_encoder(size, 7)
    heads = 2 * (512 + 1) * 7
    trainable = sum(int(np.prod(weight.shape)) for weight in encoder.trainable_weights)
    # torchvision's resnet18 has 11,689,512 with its classifier of 512,000 + 1000 and a stem of 7×7
    assert trainable - heads == kernels + 2 * sum(channels) == 11_689_512 - 513_000 - 3 * 64 * (49 - 9)
    assert encoder.count_params() - heads == kernels + 4 * sum(channels) == 11_178_432


@pytest.mark.parametrize(("size", "sides"), [(32, [32, 16, 8, 4]), (33, [17, 9, 5, 3]), (64, [32, 16, 8, 4])])
def test_the_first_pooling_is_dropped_up_to_32_pixels(size, sides):
    encoder = resnet18_encoder(size, 5)
    stages = {layer.name: layer.output for layer in encoder.layers if isinstance(layer, layers.Add)}
    shapes = keras.Model(encoder.input, stages).compute_output_shape((None, size, size, 3))
    found = [shapes[name][1] for name in stages]
    assert found[::2] == found[1::2] == sides
    shapes = encoder.compute_output_shape((None, size, size, 3))
    assert shapes["feature_map"] == (None, sides[2], sides[2], 256)


@pytest.mark.parametrize("size", [33, 34])
def test_pooling_and_padding_before_the_activation_give_what_they_do_after_it(
    size, encoder_parts, images, pooling
):
    encoder = resnet18_encoder(size, 5)
    normalised, activated = encoder_parts(encoder, layers.BatchNormalization, layers.ReLU)
    x, found = (
        ops.convert_to_numpy(y) for y in keras.Model(encoder.input, [normalised, activated])(images(size))
    )
    np.testing.assert_allclose(found, pooling(np.maximum(x, 0), padding=1), atol=1e-6)
    assert x.min() < 0 < found.max()


@pytest.mark.parametrize("size", [8, 9])
def test_strided_convolutions_are_padded_by_one_pixel_on_each_side(size, images, convolution):
    encoder = resnet18_encoder(size, 5)
    strided = [
        (padding, layer)
        for padding, layer in zip(encoder.layers, encoder.layers[1:], strict=False)
        if isinstance(layer, layers.Conv2D) and layer.strides == (2, 2) and layer.kernel_size == (3, 3)
    ]
    assert len(strided) == 3
    for padding, layer in strided:
        both = keras.Model(encoder.input, [padding.input, layer.output])(images(size))
        x, found = (ops.convert_to_numpy(y) for y in both)
        expected = convolution(x, layer.get_weights()[0], stride=2, padding=1)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_thin_one_is_the_same_network_at_three_eighths_of_its_width():
    wide, thin = (make(16, 5, gaussian=False) for make in (resnet18_encoder, resnet18_thin_encoder))
    layers_of = [[type(layer) for layer in encoder.layers] for encoder in (wide, thin)]
    assert layers_of[0] == layers_of[1]
    widths = [
        [layer.filters for layer in encoder.layers if isinstance(layer, layers.Conv2D)]
        for encoder in (wide, thin)
    ]
    assert [8 * width for width in widths[1]] == [3 * width for width in widths[0]]
