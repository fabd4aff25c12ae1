"""The paper's encoder for 32-pixel images."""

import keras
from keras import layers

from dim.encoders.ends import scaled_images, split_here, with_posterior
from dim.layers.normalisation import BatchNormalization


def basic32_encoder(image_size: int = 32, code_size: int = 64, gaussian: bool = True) -> keras.Model:
    """The DCGAN-style encoder of Hjelm et al. 2019, Table 1 (`basic32x32` in their code).

    Three 4×4 convolutions of stride 2, padded by one pixel, with 64, 128 and 256 channels, each with
    batch normalisation and ReLU; a dense layer of 1024 with the same; the code. Split after the second
    convolution: 8×8×128 at 32 pixels, a quarter of the side at any size, rounded down. At 32 pixels and
    D = 64 the paper's deterministic encoder has 4,924,224 parameters, a posterior 65,600 more. The
    dense layer reads the whole last map, named `conv`, so it grows with the area of the image.

    Images must have 8 pixels a side or more.
    """
    images, x = scaled_images("basic32", image_size, least=8)
    x = _convolution(_convolution(x, 64), 128)
    feature_map = split_here(x)
    x = layers.Flatten(name="conv")(_convolution(feature_map, 256))
    x = layers.ReLU()(BatchNormalization()(layers.Dense(1024, use_bias=False)(x)))
    return with_posterior(images, feature_map, x, code_size, gaussian)


def _convolution(x, channels: int):
    x = layers.Conv2D(channels, 4, strides=2, use_bias=False)(layers.ZeroPadding2D(1)(x))
    return layers.ReLU()(BatchNormalization()(x))
