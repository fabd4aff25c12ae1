"""The prior of codes as an opponent: a discriminator behind a reversed gradient."""

import keras
from keras import layers, ops

from dim.choices import TARGETS
from dim.layers.saved import Random
from dim.layers.unit import unit


def reverse_gradient(x, weight: float):
    """The same values; the gradient that comes back is multiplied by -weight."""
    return ops.stop_gradient((1 + weight) * x) - weight * x


@keras.saving.register_keras_serializable("dim")
class AdversarialPrior(Random, layers.Layer):
    """Matches the distribution of codes to a prior by a discriminator (Deep InfoMax, eq. 7).

        loss = mean softplus(-T(v)) + mean softplus(T(y))        v from the prior, y from the codes

    The discriminator T, dense layers D → 1000 → 200 → 1, minimises it; the encoder, behind a reversed
    gradient, maximises `weight` times its second half, so that one optimizer trains both against each
    other. 2·log 2 nats and an accuracy of 0.5 mean that T cannot tell the two apart.

    Takes codes [B, D]; returns loss (nats) and the discriminator's accuracy, float32 scalars.

    Args:
        target: the prior. `uniform` on [0, 1]^D, for sigmoid(code); `normal`, N(0, I), for the code;
            `sphere`, uniform on the unit sphere, for code / ‖code‖. ValueError for any other.
        weight: γ, how strongly the encoder works against the discriminator.
        seed: of the draws from the prior.
    """

    def __init__(self, target: str = "uniform", weight: float = 1.0, seed: int = 0, **kwargs):
        super().__init__(seed, **{**kwargs, "dtype": "float32"})
        if target not in TARGETS:
            raise ValueError(f"target must be one of {TARGETS}, not {target!r}")
        self.target, self.weight = target, weight
        widths = (1000, "relu"), (200, "relu"), (1, None)
        self.dense = [layers.Dense(U, activation, dtype="float32") for U, activation in widths]

    def build(self, code_shape):
        shape = code_shape
        for dense in self.dense:
            dense.build(shape)
            shape = (*shape[:-1], dense.units)

    def call(self, code):
        ours = self._discriminate(reverse_gradient(self._to_support(code), self.weight))
        prior = self._discriminate(self._sample(ops.shape(code)))
        loss = ops.mean(ops.softplus(-prior)) + ops.mean(ops.softplus(ours))
        told_apart = ops.mean(ops.cast(prior > 0, "float32")) + ops.mean(ops.cast(ours < 0, "float32"))
        return loss, told_apart / 2

    def _discriminate(self, x):
        for dense in self.dense:
            x = dense(x)
        return x

    def _to_support(self, code):
        if self.target == "uniform":
            return ops.sigmoid(code)
        return unit(code) if self.target == "sphere" else code

    def _sample(self, shape):
        if self.target == "uniform":
            return keras.random.uniform(shape, seed=self.random)
        normal = keras.random.normal(shape, seed=self.random)
        return unit(normal) if self.target == "sphere" else normal
