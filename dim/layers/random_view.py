"""Random views of images: what an encoder should not care about."""

import math

import keras
from keras import ops

from dim.layers.saved import Random

_LUMINANCE = (0.299, 0.587, 0.114)


@keras.saving.register_keras_serializable("dim")
class RandomView(Random, keras.layers.Layer):
    """A random crop scaled to the size of the view, perhaps mirrored, with other brightness and colours.

    Everything is drawn anew for each image. Cropping, mirroring and bilinear interpolation are linear
    along each axis, brightness, contrast and greying linear in the colours, so that a view costs two
    small matrix products and one 3×3 colour transform on every backend. What is larger than the view is
    smoothed on the way, so that nothing aliases.

    Takes [B, H0, W0, 3] uint8; returns the same, or [B, size, size, 3].

    Args:
        area: the least share of the image's area that a crop keeps. Shares are uniform from there to 1,
            which is the whole image.
        aspect: the greatest ratio of its sides, relative to the image's; of a crop that would not fit so,
            the greatest that does.
        brightness, contrast, channels: greatest relative change of all channels, of the distance from the
            image's mean colour, and of a single channel.
        grey: probability of losing the colour.
        size: side of the views in pixels; 0 keeps that of the images.
        seed: of everything random.
    """

    def __init__(
        self,
        area=0.3,
        aspect=4 / 3,
        brightness=0.4,
        contrast=0.4,
        channels=0.2,
        grey=0.2,
        size=0,
        seed=0,
        **kwargs,
    ):
        super().__init__(seed, **{**kwargs, "dtype": "float32"})
        self.area, self.aspect, self.size = area, aspect, size
        self.brightness, self.contrast, self.channels, self.grey = brightness, contrast, channels, grey

    def call(self, images):
        B, H, W, _ = ops.shape(images)
        x = ops.cast(ops.transpose(images, (0, 3, 1, 2)), "float32")  # [B, 3, H, W], for the products
        height, width = self._crop_size(B)
        mirror = self._uniform((B, 1), 0, 1) < 0.5
        rows = self._interpolation(H, height, ops.zeros_like(mirror))
        columns = self._interpolation(W, width, mirror)
        x = ops.matmul(ops.matmul(rows[:, None], x), ops.transpose(columns, (0, 2, 1))[:, None])
        H, W = self.size or H, self.size or W
        x = ops.reshape(self._recolour(ops.reshape(x, (B, 3, H * W)), B), (B, 3, H, W))
        return ops.transpose(ops.cast(ops.round(ops.clip(x, 0, 255)), "uint8"), (0, 2, 3, 1))

    def compute_output_shape(self, images_shape):
        B, H, W, _ = images_shape
        return B, self.size or H, self.size or W, 3

    def _uniform(self, shape, low, high):
        return keras.random.uniform(shape, low, high, seed=self.random)

    def _crop_size(self, B):
        """Height and width of the crops as shares of the image's, each [B, 1] and at most 1."""
        side = ops.sqrt(self._uniform((B, 1), self.area, 1))
        most = ops.minimum(math.log(self.aspect) / 2, -ops.log(side))
        stretch = ops.exp(most * self._uniform((B, 1), -1, 1))
        return side * stretch, side / stretch

    def _interpolation(self, S, size, mirror):
        """[B, V, S] weights of each source position for each position of the view, along one axis."""
        V = self.size or S
        start = self._uniform(ops.shape(size), 0, 1) * (1 - size)
        steps = (ops.arange(V, dtype="float32") + 0.5) / V
        steps = ops.where(mirror, 1 - steps, steps)
        position = ops.clip((start + steps * size) * S - 0.5, 0, S - 1)
        distance = ops.abs(position[:, :, None] - ops.arange(S, dtype="float32"))
        if V >= S:
            return ops.maximum(1 - distance, 0)
        weights = ops.maximum(1 - distance / ops.maximum(size * S / V, 1)[:, :, None], 0)
        return weights / ops.sum(weights, axis=2, keepdims=True)

    def _recolour(self, x, B):
        brightness = 1 + self._uniform((B, 1, 1), -self.brightness, self.brightness)
        channels = 1 + self._uniform((B, 1, 3), -self.channels, self.channels)
        contrast = 1 + self._uniform((B, 1, 1), -self.contrast, self.contrast)
        to_grey = ops.broadcast_to(ops.convert_to_tensor([_LUMINANCE], "float32"), (3, 3))
        is_grey = self._uniform((B, 1, 1), 0, 1) < self.grey
        colours = ops.where(is_grey, to_grey, ops.eye(3) * channels) * brightness
        mean = ops.mean(x, axis=2, keepdims=True)
        return ops.matmul(contrast * colours, x) + ops.matmul((1 - contrast) * colours, mean)
