"""From codes back to images."""

import math

import keras
from keras import layers

from dim.encoders import FEATURE_MAP, MEAN
from dim.layers.normalisation import BatchNormalization


def mirrored_decoder(encoder: keras.Model, image_size: int) -> keras.Model:
    """The way from an encoder's image to its feature map, backwards, after a dense layer for the rest.

    Dense to a map of the feature map's channels C, then n blocks of [nearest upsampling by 2, 3×3
    convolution, batch normalisation, LeakyReLU 0.2] with channels C/2, C/4, … but at least 16; the last
    convolution gives the pixels. n = round(log2(H0/H)), at least 1; what exceeds the image is cropped.
    For the seed encoder at 64 pixels: 4×4×256, 8×8×128, 16×16×64, 32×32×32, 64×64×3; 1,442,755
    weights for codes of 256.

    The last convolution starts close to 0, and all images near to grey. From stronger ones the encoder
    would first learn to drown the code in noise, and log-variances explode.

    Args:
        encoder: a model of `dim.encoders`, from images [B, H0, W0, 3] to codes [B, D].
        image_size: H0 = W0.

    Returns:
        A model from codes [B, D] to [B, H0, W0, 3] float32, in which -1 stands for black and 1 for white;
        nothing bounds it.
    """
    _, H, _, C = encoder.compute_output_shape((None, image_size, image_size, 3))[FEATURE_MAP]
    blocks = max(1, round(math.log2(image_size / H)))
    side = math.ceil(image_size / 2**blocks)

    code = keras.Input(encoder.output[MEAN].shape[1:], name="code")
    x = layers.Reshape((side, side, C))(layers.Dense(side * side * C)(code))
    for block in range(blocks):
        x = layers.LeakyReLU(0.2)(BatchNormalization()(x))
        x = layers.UpSampling2D(2)(x)
        if block < blocks - 1:
            x = layers.Conv2D(max(16, C // 2 ** (block + 1)), 3, padding="same")(x)
    nearly_grey = keras.initializers.VarianceScaling(1e-4)
    pixels = layers.Conv2D(3, 3, padding="same", kernel_initializer=nearly_grey, dtype="float32")(x)
    surplus = 0, side * 2**blocks - image_size
    return keras.Model(code, layers.Cropping2D((surplus, surplus), dtype="float32")(pixels), name="decoder")
