"""The two ends of every encoder: images come in and are scaled; map and posterior go out."""

import keras
from keras import layers

from dim.errors import DimError

MEAN, LOG_VARIANCE, FEATURE_MAP, FEATURES = "mean", "log_variance", "feature_map", "features"

_CALM_WIDTH = 256  # features that a log-variance can read at Adam's usual rate of 1e-3


def scaled_images(encoder: str, image_size: int, least: int, any_size: bool = False):
    """Two symbolic tensors [B, H0, W0, 3]: images in uint8, and the same as pixels in [-1, 1].

    They have the given side, or where the network can take any size, none in particular.

    Raises:
        DimError: their side is less than the least that the encoder of this name can take.
    """
    if image_size < least:
        raise DimError(f"the {encoder} encoder needs images of at least {least} pixels, not {image_size}")
    side = None if any_size else image_size
    images = keras.Input((side, side, 3), dtype="uint8", name="images")
    return images, layers.Rescaling(1 / 127.5, offset=-1)(images)


def with_posterior(images, feature_map, features, code_size: int, gaussian: bool) -> keras.Model:
    """Ends an encoder with a dense layer each for mean and log-variance.

    That of the log-variance starts at zero, and so every variance at 1. Started like any other layer it
    reaches 8 and more, its exponential rules the loss, and one such step fills the second moments of Adam
    for a thousand others. A step of Adam moves every weight by about its rate, and so a sum over 4,096
    features (alex64) by several nats, wherever it starts: wider features are scaled down for it.

    Args:
        images: its input.
        feature_map: [B, H, W, C], where it is split.
        features: [B, F], what comes before the code; the posterior is float32 whatever the rest computes in.
        code_size, gaussian: as of every encoder.
    """
    features = layers.Identity(name=FEATURES)(features)
    posterior = {MEAN: layers.Dense(code_size, name=MEAN, dtype="float32")(features)}
    if gaussian:
        from_zero = layers.Dense(code_size, name=LOG_VARIANCE, kernel_initializer="zeros", dtype="float32")
        scale = min(1, _CALM_WIDTH / features.shape[-1])
        posterior[LOG_VARIANCE] = from_zero(layers.Rescaling(scale)(features) if scale < 1 else features)
    return keras.Model(images, {FEATURE_MAP: feature_map, **posterior}, name="encoder")


def split_here(x):
    """Marks the feature map of an encoder."""
    return layers.Identity(name=FEATURE_MAP)(x)
