"""Encoders: image to feature map to posterior.

An encoder is a functional Keras model from images [B, H0, W0, 3] uint8 to a dictionary of

    feature_map  [B, H, W, C]   where the network is split: what the local critic sees
    mean         [B, D]         of the posterior; this is the code that is kept after training
    log_variance [B, D]         of the posterior

Where the map is split off is part of each encoder's definition.

To add an encoder, write its function here and name it in `ENCODERS`.
"""

import math

import keras
from keras import layers

from dim.errors import DimError
from dim.normalisation import BatchNormalization

MEAN, LOG_VARIANCE, FEATURE_MAP = "mean", "log_variance", "feature_map"


def seed_encoder(image_size: int = 64, code_size: int = 256) -> keras.Model:
    """The encoder of Su Jianlin's model (https://kexue.fm/archives/6024).

    Blocks of [3×3 convolution, batch normalisation, LeakyReLU 0.2, 2×2 max-pooling] halve the image
    until its side is 4 to 7, with channels doubling up to 256: 32-64-128-256 for 64 pixels,
    64-128-256 for 32. Split here. Two more convolutions of 256, a global maximum, and two dense
    layers for the posterior. 1,704,128 parameters at 64 pixels, 1,686,400 at 32.

    Raises:
        DimError: the image is smaller than 8 pixels.
    """
    blocks = int(math.log2(image_size / 4))
    if blocks < 1:
        raise DimError(f"the seed encoder needs images of at least 8 pixels, not {image_size}")
    images = keras.Input((image_size, image_size, 3), dtype="uint8", name="images")
    x = layers.Rescaling(1 / 127.5, offset=-1)(images)
    for block in reversed(range(blocks)):
        x = _convolution(x, 256 // 2**block, pool=True)
    feature_map = layers.Identity(name=FEATURE_MAP)(x)
    for _ in range(2):
        x = _convolution(x, 256)
    return _with_posterior(images, feature_map, layers.GlobalMaxPooling2D()(x), code_size)


def _convolution(x, channels: int, pool: bool = False):
    x = BatchNormalization()(layers.Conv2D(channels, 3, padding="same")(x))
    if pool:  # before the activation, which is monotone: the same maxima from a quarter of the work
        x = layers.MaxPooling2D(2)(x)
    return layers.LeakyReLU(0.2)(x)


def _with_posterior(images, feature_map, x, code_size: int) -> keras.Model:
    """Ends an encoder with two dense layers, in float32 whatever the rest computes in."""
    mean = layers.Dense(code_size, name=MEAN, dtype="float32")(x)
    log_variance = layers.Dense(code_size, name=LOG_VARIANCE, dtype="float32")(x)
    outputs = {FEATURE_MAP: feature_map, MEAN: mean, LOG_VARIANCE: log_variance}
    return keras.Model(images, outputs, name="encoder")


def in_plain_keras(encoder: keras.Model) -> keras.Model:
    """The same encoder made of Keras' own layers only, so that it loads without this package."""

    def plain(layer):
        kind = keras.layers.BatchNormalization if isinstance(layer, BatchNormalization) else type(layer)
        return kind.from_config(layer.get_config())

    twin = keras.models.clone_model(encoder, clone_function=plain)
    twin.set_weights(encoder.get_weights())
    return twin


ENCODERS = {"seed": seed_encoder}
