"""Critics score codes against pieces of feature maps.

A critic is a layer that takes

    code     [B, D]      one code an image
    features [B, L, C]   what is known of each image at L locations (L = 1 for a global summary)

and returns the scores of true and of mismatched pairs, as the objectives want them:

    positive [B, L]      code i with location l of image i
    negative [B, K, L]   code i with location l of K other images, never of image i

in float32. Scores are logits. Every critic takes `negatives`: code i is mismatched with the images
i + 1 … i + K (mod B), in no particular order; 0 stands for all the others, K = B - 1. A batch of K
images or fewer raises ValueError. (In a TensorFlow graph traced for batches of any size B is unknown,
and a batch must be larger than K unseen.)

To add a critic, write its layer here, put it into `CRITICS`, and its name into `dim.choices`.
"""

import keras
from keras import layers, ops

from dim import choices
from dim.layers.normalisation import BatchNormalization
from dim.layers.saved import SavesArguments


@keras.saving.register_keras_serializable("dim")
class NearIdentity(keras.initializers.Initializer):
    """Ones on the diagonal of a kernel, U(-0.01, 0.01) elsewhere: a shortcut that nearly copies."""

    def __call__(self, shape, dtype=None):
        rows, columns = shape
        noise = keras.initializers.RandomUniform(-0.01, 0.01)(shape, dtype)
        diagonal = ops.eye(rows, columns, dtype="bool")
        return ops.where(diagonal, ops.ones_like(noise), noise)


@keras.saving.register_keras_serializable("dim")
class ResidualProjection(SavesArguments, layers.Layer):
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


@keras.saving.register_keras_serializable("dim")
class EncodeAndDot(SavesArguments, layers.Layer):
    """Encode and dot product: project code and features apart, then take the scalar product.

    s = <p(code), q(feature)> / √U with two `ResidualProjection`s of U units, or, at a temperature τ above 0,
    the cosine of the angle between the two divided by τ, so within ±1/τ. Since neither side sees the
    other, one matrix product scores all pairs of a batch, and few negatives are no cheaper than all.
    """

    def __init__(self, units: int = 512, negatives: int = 0, temperature: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        if temperature < 0:
            wanted = "positive, or 0 for dot products over √U"
            raise ValueError(f"temperature must be {wanted}, not {temperature}")
        self.units, self.negatives, self.temperature = units, _valid(negatives), temperature
        self.code_projection = ResidualProjection(units, dtype=self.dtype_policy)
        self.feature_projection = ResidualProjection(units, dtype=self.dtype_policy)

    def build(self, code_shape, features_shape):
        self.code_projection.build(code_shape)
        self.feature_projection.build(features_shape)

    def call(self, code, features, training=False):
        p = self.code_projection(code, training=training)
        q = self.feature_projection(features, training=training)
        divisor = self.units**0.5
        if self.temperature:
            p, q, divisor = ops.normalize(p), ops.normalize(q), self.temperature
        return pairs(_products(p, q) / divisor, self.negatives)


@keras.saving.register_keras_serializable("dim")
class Bilinear(SavesArguments, layers.Layer):
    """Bilinear: s = codeᵀ W feature / √C with one matrix W [D, C], no bias.

    The critic of CPC (https://arxiv.org/abs/1807.03748, eq. 3). √C could as well be part of W; apart,
    it lets scores begin with a variance near one and makes a step of Adam move them as it moves those
    of `EncodeAndDot`. One matrix product scores all pairs of a batch.
    """

    def __init__(self, negatives: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.negatives = _valid(negatives)

    def build(self, code_shape, features_shape):
        D, C = code_shape[-1], features_shape[-1]
        self.kernel = self.add_weight(name="kernel", shape=(D, C), initializer="glorot_uniform")

    def call(self, code, features, training=False):
        C = features.shape[-1]
        wanted = ops.cast(ops.matmul(code, self.kernel), "float32") / C**0.5
        return pairs(_products(wanted, ops.cast(features, "float32")), self.negatives)


@keras.saving.register_keras_serializable("dim")
class ConcatenateAndConvolve(SavesArguments, layers.Layer):
    """Concatenate and convolve: a small network looks at code and feature together.

    Dense layers on [code, feature] at every location (1×1 convolutions) of these widths, ReLU between them,
    one score at the end. Every pair has to pass the network, so time and memory grow with K.
    """

    def __init__(self, widths: tuple[int, ...] = (512, 512), negatives: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.widths, self.negatives = tuple(widths), _valid(negatives)
        self.first, *self.rest = [layers.Dense(units, dtype=self.dtype_policy) for units in self.widths]
        self.score = layers.Dense(1, dtype="float32")

    def build(self, code_shape, features_shape):
        width = code_shape[-1] + features_shape[-1]
        for dense in (self.first, *self.rest, self.score):
            dense.build((None, width))
            width = dense.units

    def call(self, code, features, training=False):
        # Dense([code, feature]) = Dense(code) + Dense(feature): each is multiplied once, then paired.
        D = code.shape[-1]
        from_code = ops.matmul(code, self.first.kernel[:D])[:, None, :]
        from_features = ops.matmul(features, self.first.kernel[D:]) + self.first.bias
        if not self.negatives:
            return pairs(self._score(from_code[:, None] + from_features))
        _check_batch(code.shape[0], self.negatives)
        others = (ops.roll(from_features, -shift, axis=0) for shift in range(self.negatives + 1))
        scores = [self._score(from_code + features) for features in others]
        return scores[0], ops.stack(scores[1:], axis=1)

    def _score(self, hidden):
        for dense in self.rest:
            hidden = dense(ops.relu(hidden))
        return ops.squeeze(self.score(ops.relu(hidden)), axis=-1)


CRITICS = dict(zip(choices.CRITICS, (EncodeAndDot, ConcatenateAndConvolve, Bilinear), strict=True))


def _products(codes, features):
    """[B, U] and [B, L, U] to the scalar products of all pairs, [B, B, L], by one matrix product.

    Devices that share a batch each hold the scores of their own images' features with all codes, which are
    fewer numbers to send around than the features.
    """
    B, L, U = ops.shape(features)
    scores = ops.reshape(ops.matmul(codes, ops.transpose(ops.reshape(features, (B * L, U)))), (-1, B, L))
    if (shared := keras.distribution.distribution()) is None:
        return scores
    layout = keras.distribution.TensorLayout((None, shared.batch_dim_name, None), shared.device_mesh)
    return keras.distribution.distribute_tensor(scores, layout)


def _valid(negatives: int) -> int:
    if negatives < 0:
        raise ValueError(f"negatives must be 1 or more, or 0 for all other images, not {negatives}")
    return negatives


def _check_batch(B: int | None, negatives: int):
    if B is not None and negatives >= B:
        needed = f"{negatives} negatives need a batch of at least {negatives + 1} images"
        raise ValueError(f"{needed}, this one has {B}")


def pairs(scores, negatives: int = 0):
    """Scores of all pairs, [B, B, L], to those of true and of K mismatched ones, [B, L] and [B, K, L]."""
    positive = _diagonal(scores)
    if not negatives:
        return positive, _off_diagonal(scores)
    _check_batch(scores.shape[0], negatives)
    B, _, L = ops.shape(scores)
    image = ops.arange(B)[:, None]
    other = (image + ops.arange(1, negatives + 1)) % B
    return positive, ops.take(ops.reshape(scores, (B * B, L)), image * B + other, axis=0)


def _diagonal(scores):
    """[B, B, L] to its true pairs, [B, L], by a sum that devices with a part of the scores each can share."""
    return ops.sum(ops.where(ops.eye(ops.shape(scores)[0], dtype="bool")[:, :, None], scores, 0), axis=1)


def _off_diagonal(scores):
    """[B, B, L] to its mismatched pairs, [B, B - 1, L]: what follows the true one in a row moves up.

    To flatten the scores for it would gather all of them on every device.
    """
    B = ops.shape(scores)[0]
    left = ops.arange(B - 1)[None, :] < ops.arange(B)[:, None]
    return ops.where(left[:, :, None], scores[:, :-1], scores[:, 1:])
