"""The auxiliary task of telling where on the feature map a local feature comes from."""

import keras
import numpy as np
from keras import layers, ops

from dim.layers.saved import Random


@keras.saving.register_keras_serializable("dim")
class CoordinatePrediction(Random, layers.Layer):
    """Predicts the place of local features from them and the code (Deep InfoMax, section 3.3 and Table 4).

        absolute: -log p(i, j | code, c[i, j])
        relative: -log p(i - i', j - j' | code, c[i, j], c[i', j'])

    with p(i, j) = p(i)·p(j), two softmaxes on a hidden layer of `units`. For the relative task every location
    is paired with one other, by a permutation that is drawn anew for each batch.

    Takes code [B, D] and feature map [B, H, W, C]; returns the sum of both losses, a float32 scalar in
    nats. A uniform guess costs log H + log W, and log(2H - 1) + log(2W - 1).
    """

    def __init__(self, units: int = 512, seed: int = 0, **kwargs):
        super().__init__(seed, **kwargs)
        self.units = units
        self.from_code, self.from_feature, self.from_other = (
            layers.Dense(units, use_bias=bias, dtype=self.dtype_policy) for bias in (True, False, False)
        )

    def build(self, code_shape, feature_map_shape):
        H, W, C = feature_map_shape[1:]
        self.absolute = [layers.Dense(size, dtype="float32") for size in (H, W)]
        self.relative = [layers.Dense(2 * size - 1, dtype="float32") for size in (H, W)]
        self.from_code.build(code_shape)
        for dense in self.from_feature, self.from_other:
            dense.build((None, None, C))
        for dense in (*self.absolute, *self.relative):
            dense.build((None, None, self.units))

    def call(self, code, feature_map):
        B, H, W, C = ops.shape(feature_map)
        features = ops.reshape(feature_map, (B, H * W, C))
        places = ops.convert_to_tensor(np.stack(np.divmod(np.arange(H * W), W)), "int32")  # [2, L]
        own = self.from_code(code)[:, None] + self.from_feature(features)
        absolute = _cross_entropy(self.absolute, ops.relu(own), places)

        other = keras.random.shuffle(ops.arange(H * W, dtype="int32"), seed=self.random)
        pair = own + self.from_other(ops.take(features, other, axis=1))
        shift = places - ops.take(places, other, axis=1) + ops.convert_to_tensor([[H - 1], [W - 1]], "int32")
        return absolute + _cross_entropy(self.relative, ops.relu(pair), shift)


def _cross_entropy(heads, hidden, places):
    """Sum over rows and columns of the mean of -log softmax at the true place; places [2, L]."""
    B, L, _ = ops.shape(hidden)
    true = ops.broadcast_to(places[:, None], (2, B, L))
    return sum(
        ops.mean(ops.sparse_categorical_crossentropy(place, head(hidden), from_logits=True))
        for head, place in zip(heads, (true[0], true[1]), strict=True)
    )
