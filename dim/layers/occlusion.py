"""Hiding part of an image from the code."""

import keras
from keras import ops

from dim.layers.saved import Random

GREY = 128


@keras.saving.register_keras_serializable("dim")
class Occlusion(Random, keras.layers.Layer):
    """Greys out a square at a random place of each image (Deep InfoMax, section 3.3 and Table 4).

    The code is computed from the occluded image, the local features from the whole one, so that the
    code has to say what is behind the square. Its side is a share of the image's, between 0 and 1; the paper
    does not state it.

    Takes and returns [B, H0, W0, 3] uint8.
    """

    def __init__(self, side: float, seed: int = 0, **kwargs):
        super().__init__(seed, **{**kwargs, "dtype": "float32"})
        self.side = side

    def call(self, images):
        B, H, W, _ = ops.shape(images)
        hidden = self._hidden(B, H)[:, :, None, None] & self._hidden(B, W)[:, None, :, None]
        return ops.where(hidden, ops.cast(GREY, images.dtype), images)

    def _hidden(self, B, S):
        """[B, S] bool: the positions along one axis that the square covers."""
        length = round(self.side * S)
        start = ops.floor(keras.random.uniform((B, 1), 0, S - length + 1, seed=self.random))
        position = ops.arange(S, dtype="float32")
        return (position >= start) & (position < start + length)
