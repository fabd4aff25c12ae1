"""ResNet-18 for small images, in its own width and a thinner one."""

import keras
from keras import layers

from dim.encoders.ends import scaled_images, split_here, with_posterior
from dim.layers.normalisation import BatchNormalization


def resnet18_encoder(image_size: int = 64, code_size: int = 256, gaussian: bool = True) -> keras.Model:
    """ResNet-18 (He et al. 2016) that begins as Ermolov et al. 2021 let it begin on small images.

    A 3×3 convolution of stride 1 in place of the 7×7 one of stride 2; the 3×3 max-pooling of stride 2
    that follows is kept for images of more than 32 pixels and dropped up to 32, as they do on
    Tiny-ImageNet and on CIFAR (https://github.com/htdt/self-supervised). Four stages of two residual
    blocks with 64, 128, 256 and 512 channels, all but the first halving the side; a global average, the
    512 `features` that their published accuracies are measured on; the code. Split after the third
    stage: 8×8×256 at 64 and at 32 pixels, an eighth of the side above 32 pixels and a quarter up to
    there, rounded up. 11,178,432 parameters without the code's layers, at any size.

    It is made for images of 8 pixels a side or more; once made, it takes others.
    """
    return _resnet18("resnet18", 64, image_size, code_size, gaussian)


def resnet18_thin_encoder(image_size: int = 64, code_size: int = 256, gaussian: bool = True) -> keras.Model:
    """ResNet-18 of 24, 48, 96 and 192 channels, otherwise as `resnet18_encoder`.

    Three eighths of the width leave a seventh of the parameters, 1,576,872 without the code's layers, and of
    the work, which is then that of the encoder `seed`.
    """
    return _resnet18("resnet18-thin", 24, image_size, code_size, gaussian)


def _resnet18(name: str, width: int, image_size: int, code_size: int, gaussian: bool) -> keras.Model:
    images, x = scaled_images(name, image_size, least=8, any_size=True)
    x = _normalised_convolution(x, width)
    if image_size > 32:  # before the activation, which is monotone and leaves the padding's zero a zero
        x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
    x = layers.ReLU()(x)
    x = _stage(x, width)
    x = _stage(x, 2 * width, stride=2)
    feature_map = split_here(_stage(x, 4 * width, stride=2))
    x = _stage(feature_map, 8 * width, stride=2)
    return with_posterior(images, feature_map, layers.GlobalAveragePooling2D()(x), code_size, gaussian)


def _stage(x, channels: int, stride: int = 1):
    return _block(_block(x, channels, stride), channels)


def _block(x, channels: int, stride: int = 1):
    shortcut = x if stride == 1 else _normalised_convolution(x, channels, kernel=1, stride=stride)
    x = layers.ReLU()(_normalised_convolution(x, channels, stride=stride))
    return layers.ReLU()(layers.Add()([_normalised_convolution(x, channels), shortcut]))


def _normalised_convolution(x, channels: int, kernel: int = 3, stride: int = 1):
    """Padded by one pixel on each side if 3×3; Keras' own padding is lopsided where the stride is 2."""
    if kernel == 3 and stride == 2:
        x = layers.ZeroPadding2D(1)(x)
    padding = "same" if stride == 1 else "valid"
    return BatchNormalization()(layers.Conv2D(channels, kernel, stride, padding, use_bias=False)(x))
