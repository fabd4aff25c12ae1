"""The prior of codes as a test: are they Gaussian along every direction?"""

import keras
import numpy as np
from keras import layers, ops

from dim.layers.saved import Random
from dim.layers.unit import unit

_KNOTS = np.linspace(0, 3, 9)  # one half of 17 from -3 to 3: the integrand is even
_WEIGHTS = 2 * np.diff(_KNOTS[:2]) * np.exp(-(_KNOTS**2) / 2)
_WEIGHTS[[0, -1]] /= 2


@keras.saving.register_keras_serializable("dim")
class SIGReg(Random, layers.Layer):
    """Draws codes towards N(0, I) without an opponent and without a posterior (LeJEPA, section 4).

    What is normal along all directions is N(0, I) (Cramér and Wold). Random directions, other ones at every
    call, stand for all, and `epps_pulley` tells how far codes are from N(0, 1) along each.

    Takes codes [B, D]; returns the mean over the directions, a float32 scalar: about 1 where the codes are
    drawn from N(0, I), and up to a constant times B elsewhere.

    Args:
        directions: how many.
        seed: of the directions.
    """

    def __init__(self, directions: int = 256, seed: int = 0, **kwargs):
        super().__init__(seed, **{**kwargs, "dtype": "float32"})
        self.directions = directions

    def call(self, code):
        directions = unit(keras.random.normal((self.directions, code.shape[-1]), seed=self.random))
        return ops.mean(epps_pulley(ops.matmul(code, ops.transpose(directions))))


def epps_pulley(x):
    """The test of Epps and Pulley (1983) whether numbers are draws from N(0, 1), of each column of x [N, S].

        T = N ∫ |mean exp(i t x) - exp(-t²/2)|² exp(-t²/2) dt        over [-3, 3]

    by the trapezoid rule with 17 knots. Returns [S] float32, never negative. Of N draws from N(0, 1) T is
    1.05 on average, whatever N is; of anything else it grows with N. The gradient is bounded at any distance.
    Along random directions of codes it is SIGReg, of LeJEPA (https://arxiv.org/abs/2511.08544, section 4).
    """
    x = ops.cast(x, "float32")
    N, _ = ops.shape(x)
    t = ops.convert_to_tensor(_KNOTS[:, None, None], "float32")
    real = ops.mean(ops.cos(t * x), axis=1) - ops.exp(-ops.square(t[:, 0]) / 2)  # [knots, S]
    imaginary = ops.mean(ops.sin(t * x), axis=1)
    weights = ops.convert_to_tensor(_WEIGHTS[:, None], "float32")
    distance = ops.sum(weights * (ops.square(real) + ops.square(imaginary)), axis=0)
    return ops.cast(N, "float32") * distance
