"""What encoders and views of texts are made of: which tokens there are, their mean, a window of them.

Tokens are [B, T] int32, the number of each; 0 stands for none, and only behind those that there are.
"""

import keras
from keras import layers, ops

from dim.layers.saved import Random


@keras.saving.register_keras_serializable("dim")
class Presence(layers.Layer):
    """From tokens [B, T] to [B, T, 1]: 1 where there is one, 0 in the padding."""

    def call(self, tokens):
        return ops.cast(ops.expand_dims(tokens, -1) > 0, self.compute_dtype)

    def compute_output_shape(self, tokens_shape):
        return (*tokens_shape, 1)


@keras.saving.register_keras_serializable("dim")
class WeightedMean(Random, layers.Layer):
    """Mean of x [B, T, D] by weights exp(logarithms) [B, T, 1], of those that are present [B, T, 1]: [B, D].

    Computed in float32; 0 where none is present. Training leaves out each with the probability `dropout`.
    """

    def __init__(self, dropout: float = 0.0, seed: int = 0, **kwargs):
        super().__init__(seed, **{**kwargs, "dtype": "float32"})
        self.dropout = dropout

    def call(self, x, logarithms, present, training=False):
        weights = ops.exp(logarithms) * present
        if training and self.dropout:
            drawn = keras.random.uniform(ops.shape(weights), seed=self.random)
            weights *= ops.cast(drawn >= self.dropout, "float32")
        summed = ops.matmul(ops.transpose(weights, (0, 2, 1)), ops.cast(x, "float32"))[:, 0]
        return summed / ops.maximum(ops.sum(weights, axis=1), 1e-6)

    def compute_output_shape(self, x_shape, *others):
        B, _, D = x_shape
        return B, D


@keras.saving.register_keras_serializable("dim")
class RandomWindow(Random, layers.Layer):
    """A random run of tokens of each text, what a random crop is of an image: [B, T] to [B, length].

    A text that is shorter begins anew behind its end, so that a window has no padding, unless the text has
    no token at all.
    """

    def __init__(self, length: int, seed: int = 0, **kwargs):
        super().__init__(seed, **{**kwargs, "dtype": "float32"})
        self.length = length

    def call(self, tokens):
        B, _ = ops.shape(tokens)
        there = ops.sum(ops.cast(tokens > 0, "int32"), axis=1, keepdims=True)
        spare = ops.cast(ops.maximum(there - self.length, 0) + 1, "float32")
        drawn = keras.random.uniform((B, 1), seed=self.random) * spare
        start = ops.minimum(ops.cast(ops.floor(drawn), "int32"), ops.maximum(there - self.length, 0))
        places = (start + ops.arange(self.length, dtype="int32")) % ops.maximum(there, 1)
        return ops.take_along_axis(tokens, places, axis=1)

    def compute_output_shape(self, tokens_shape):
        return tokens_shape[0], self.length
