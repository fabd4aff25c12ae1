"""The encoder of Su Jianlin's model."""

import math

import keras
from keras import layers

from dim.encoders.ends import scaled_images, split_here, with_posterior
from dim.layers.normalisation import BatchNormalization


def seed_encoder(image_size: int = 64, code_size: int = 256, gaussian: bool = True) -> keras.Model:
    """The encoder of Su Jianlin's model (https://kexue.fm/archives/6024).

    Blocks of [3×3 convolution, batch normalisation, LeakyReLU 0.2, 2×2 max-pooling] halve the image
    until its side is 4 to 7, with channels doubling up to 256: 32-64-128-256 for 64 pixels,
    64-128-256 for 32. Split here. Two more convolutions of 256, a global maximum, and two dense
    layers for the posterior. 1,704,128 parameters at 64 pixels, 1,686,400 at 32.

    It is made for images of 8 pixels a side or more; once made, it takes others, of at least a quarter of it.
    """
    images, x = scaled_images("seed", image_size, least=8, any_size=True)
    for block in reversed(range(int(math.log2(image_size / 4)))):
        x = _convolution(x, 256 // 2**block, pool=True)
    feature_map = split_here(x)
    x = feature_map
    for _ in range(2):
        x = _convolution(x, 256)
    return with_posterior(images, feature_map, layers.GlobalMaxPooling2D()(x), code_size, gaussian)


def _convolution(x, channels: int, pool: bool = False):
    x = BatchNormalization()(layers.Conv2D(channels, 3, padding="same")(x))
    if pool:  # before the activation, which is monotone: the same maxima from a quarter of the work
        x = layers.MaxPooling2D(2)(x)
    return layers.LeakyReLU(0.2)(x)
