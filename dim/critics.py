"""Critics score codes against pieces of feature maps.

A critic is a layer that takes

    code     [B, D]      one code an image
    features [B, L, C]   what is known of each image at L locations (L = 1 for a global summary)

and returns the scores of true and of mismatched pairs, as the objectives want them:

    positive [B, L]      code i with location l of image i
    negative [B, K, L]   code i with location l of K other images, never of image i

Scores are logits.

To add a critic, write its layer here and name it in `CRITICS`.
"""

import keras
from keras import layers, ops

from dim.normalisation import BatchNormalization


@keras.saving.register_keras_serializable("dim")
class NearIdentity(keras.initializers.Initializer):
    """Ones on the diagonal of a kernel, U(-0.01, 0.01) elsewhere: a shortcut that nearly copies."""

    def __call__(self, shape, dtype=None):
        rows, columns = shape
        noise = keras.initializers.RandomUniform(-0.01, 0.01)(shape, dtype)
        diagonal = ops.eye(rows, columns, dtype="bool")
        return ops.where(diagonal, ops.ones_like(noise), noise)


@keras.saving.register_keras_serializable("dim")
class ResidualProjection(layers.Layer):
    """The block that carries codes and local features into the space where they are compared.

        LayerNorm( W₂ ReLU(BatchNorm(W₁ x)) + b + W₃ x )

    as in the authors' code, with W₃ near the identity. Works on the last axis of any input and
    comes out as float32, since scores must.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        dtype = self.dtype_policy
        self.hidden = layers.Dense(units, use_bias=False, dtype=dtype)
        self.normalise_hidden = BatchNormalization(dtype=dtype)
        self.output_layer = layers.Dense(units, dtype=dtype)
        self.shortcut = layers.Dense(units, use_bias=False, kernel_initializer=NearIdentity(), dtype=dtype)
        self.normalise_output = layers.LayerNormalization(dtype="float32")

    def build(self, input_shape):
        hidden_shape = (*input_shape[:-1], self.units)
        self.hidden.build(input_shape)
        self.normalise_hidden.build(hidden_shape)
        self.output_layer.build(hidden_shape)
        self.shortcut.build(input_shape)
        self.normalise_output.build(hidden_shape)

    def call(self, x, training=False):
        hidden = ops.relu(self.normalise_hidden(self.hidden(x), training=training))
        return self.normalise_output(self.output_layer(hidden) + self.shortcut(x))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("dim")
class EncodeAndDot(layers.Layer):
    """Encode and dot product: project code and features apart, then take the scalar product.

    s = <p(code), q(feature)> / √U with two `ResidualProjection`s of U units. Since neither side
    sees the other, one matrix product scores all pairs of a batch: K = B - 1, the other images in order.

    Args:
        units: U, the length of the projections.
    """

    def __init__(self, units: int = 512, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.code_projection = ResidualProjection(units, dtype=self.dtype_policy)
        self.feature_projection = ResidualProjection(units, dtype=self.dtype_policy)

    def build(self, code_shape, features_shape):
        self.code_projection.build(code_shape)
        self.feature_projection.build(features_shape)

    def call(self, code, features, training=False):
        p = self.code_projection(code, training=training)
        q = self.feature_projection(features, training=training)
        scores = ops.einsum("iu,jlu->ijl", p, q) / self.units**0.5
        return _diagonal(scores), _off_diagonal(scores)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("dim")
class ConcatenateAndConvolve(layers.Layer):
    """Concatenate and convolve: a small network looks at code and feature together.

    Dense layers on [code, feature] at every location (1×1 convolutions), ReLU between them, one
    score at the end. Every pair has to pass the network, so mismatched pairs are few: code i meets
    image i + k (mod B) for k = 1 … K.

    Args:
        widths: units of the hidden layers.
        negatives: K, mismatched pairs for each true one.
    """

    def __init__(self, widths: tuple[int, ...] = (512, 512), negatives: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.widths, self.negatives = tuple(widths), negatives
        self.first, *self.rest = [layers.Dense(units, dtype=self.dtype_policy) for units in self.widths]
        self.score = layers.Dense(1, dtype="float32")

    def build(self, code_shape, features_shape):
        width = code_shape[-1] + features_shape[-1]
        for dense in (self.first, *self.rest, self.score):
            dense.build((None, width))
            width = dense.units

    def call(self, code, features):
        # Dense([code, feature]) = Dense(code) + Dense(feature): each is multiplied once, then paired.
        D = code.shape[-1]
        from_code = ops.matmul(code, self.first.kernel[:D])[:, None, :]
        from_features = ops.matmul(features, self.first.kernel[D:]) + self.first.bias
        scores = [
            self._score(from_code + ops.roll(from_features, -shift, axis=0))
            for shift in range(self.negatives + 1)
        ]
        return scores[0], ops.stack(scores[1:], axis=1)

    def _score(self, hidden):
        for dense in self.rest:
            hidden = dense(ops.relu(hidden))
        return ops.squeeze(self.score(ops.relu(hidden)), axis=-1)

    def get_config(self):
        return {**super().get_config(), "widths": self.widths, "negatives": self.negatives}


CRITICS = {"encode-and-dot": EncodeAndDot, "concatenate-and-convolve": ConcatenateAndConvolve}


def _diagonal(scores):
    """[B, B, L] to its true pairs, [B, L]."""
    return ops.transpose(ops.diagonal(scores, axis1=0, axis2=1))


def _off_diagonal(scores):
    """[B, B, L] to its mismatched pairs, [B, B - 1, L].

    Leave out the first entry of the flattened matrix and every (B + 1)-th after it, the diagonal,
    is the last column of a [B - 1, B + 1] matrix.
    """
    B, _, L = ops.shape(scores)
    flat = ops.reshape(scores, (B * B, L))[1:]
    return ops.reshape(ops.reshape(flat, (B - 1, B + 1, L))[:, :B], (B, B - 1, L))
