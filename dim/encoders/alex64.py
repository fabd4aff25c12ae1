"""The paper's encoder for 64-pixel images."""

import keras
from keras import layers

from dim.encoders.ends import scaled_images, split_here, with_posterior
from dim.layers.normalisation import BatchNormalization


def alex64_encoder(image_size: int = 64, code_size: int = 64, gaussian: bool = True) -> keras.Model:
    """The AlexNet-style encoder of Hjelm et al. 2019, Table 2 (`alex64x64` in their code).

    Five 3×3 convolutions with 96, 192, 384, 384 and 192 channels, each with batch normalisation and
    ReLU, and after the first, second and fifth a 3×3 max-pooling of stride 2 without padding, which
    takes a side of n to (n - 1) / 2, rounded down; two dense layers of 4096, likewise normalised; the
    code. Split after the third convolution: 15×15×384 at 64 pixels. At 64 pixels and D = 64 the paper's
    deterministic encoder has 58,435,040 parameters, a posterior 262,208 more. The first dense layer
    reads the whole last map, named `conv`, so it grows with the area of the image.

    Images must have 15 pixels a side or more.
    """
    images, x = scaled_images("alex64", image_size, least=15)
    x = _convolution(x, 96, pool=True)
    x = _convolution(x, 192, pool=True)
    feature_map = split_here(_convolution(x, 384))
    x = _convolution(feature_map, 384)
    x = layers.Flatten(name="conv")(_convolution(x, 192, pool=True))
    return with_posterior(images, feature_map, _dense(_dense(x)), code_size, gaussian)


def _convolution(x, channels: int, pool: bool = False):
    x = BatchNormalization()(layers.Conv2D(channels, 3, padding="same", use_bias=False)(x))
    if pool:  # before the activation, which is monotone: the same maxima from a quarter of the work
        x = layers.MaxPooling2D(3, strides=2)(x)
    return layers.ReLU()(x)


def _dense(x):
    return layers.ReLU()(BatchNormalization()(layers.Dense(4096, use_bias=False)(x)))
