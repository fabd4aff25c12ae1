"""Lower bounds on mutual information from samples, by the objectives that train Deep InfoMax.

    I(X; Y) ≥ bound[critic]         for any critic, with equality or nearly so for the best one

`variational_bound` takes scores of any critic, `neural_bound` trains one on half of the samples and asks it
about the other half, and `NeuralBound` is that critic, a Keras model, for those who make their own samples.
In nats, in the objectives' float32. The bounds fail in different ways (Poole and others 2019,
https://arxiv.org/abs/1905.06922):

    infonce   never above log N for N samples that are compared at once; the smallest variance
    nwj       unbiased, with a variance that grows as exp(I)
    dv        Donsker-Varadhan; on a finite sample it reads too high, as its log of a mean is too low
    mine      dv, trained with a running average in its gradient, which takes the gradient's bias away

Jensen-Shannon is not among them: what it bounds is another divergence (see `dim.losses.objectives`).
"""

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import keras
import numpy as np
from keras import layers, ops

from dim.layers.critics import pairs
from dim.losses.objectives import OBJECTIVES, donsker_varadhan, nwj
from dim.measures.arguments import real_array, real_matrix

Bound = Literal["infonce", "nwj", "dv", "mine"]
BOUNDS = get_args(Bound)
_AVERAGE_RATE = 0.01  # as in the authors' MINE
_COMPARED = 1024  # samples of the held-out half that are scored against each other at once


def variational_bound(scores, bound: Bound = "infonce") -> float:
    """The bound in nats that scores of all pairs of N samples carry; `mine` reads as `dv` does.

    Scores are [N, N], N ≥ 2, of x of sample i with y of sample j, true pairs on the diagonal. Raises
    ValueError if they are not, or the bound is unknown.
    """
    scores = real_matrix(scores, "scores", "N", "N")
    if scores.shape[0] != scores.shape[1] or len(scores) < 2:
        raise ValueError(f"scores must be [N, N] with N ≥ 2, not {scores.shape}; score each x with each y")
    return float(ops.convert_to_numpy(_objective(bound)(*_pairs(scores)).bound))


def neural_bound(
    x, y, bound: Bound = "infonce", epochs: int = 50, batch_size: int = 128, seed: int = 0
) -> float:
    """Trains a critic on half of the samples and returns its bound on the other half, in nats.

    The held-out half is compared in blocks of up to 1,024 samples, whose bounds are averaged. On the training
    half the critic learns the samples by heart, and reads far above the information.

    Args:
        x, y: [N, Dx] or [N], and [N, Dy] or [N].
        bound: as in `variational_bound`.
        epochs: passes over the training half.
        batch_size: B; the bound sees B - 1 mismatched pairs for each true one while training.
        seed: of the halves, the weights and the order.

    Raises ValueError if x and y are no pairs, too few for two batches, or an option cannot be used.
    """
    x, y = (real_array(z, name) for z, name in ((x, "x"), (y, "y")))
    x, y = (z[:, None] if z.ndim == 1 else z for z in (x, y))
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
        raise ValueError(f"x and y must be [N, Dx] and [N, Dy], not {x.shape} and {y.shape}; give pairs")
    if batch_size < 2 or len(x) < 2 * batch_size:
        samples = f"{len(x)} samples, half of which are trained on"
        remedy = f"choose it from 2 to {len(x) // 2}"
        raise ValueError(f"batch_size {batch_size} does not fit {samples}; {remedy}")
    half = len(x) // 2
    train, held_out = np.split(np.random.default_rng(seed).permutation(len(x)), [half])
    x, y = ((z - z[train].mean(axis=0)) / np.maximum(z[train].std(axis=0), 1e-12) for z in (x, y))
    x, y = x.astype("float32"), y.astype("float32")

    keras.utils.set_random_seed(seed)
    model = NeuralBound(bound, seed=seed)
    model.compile(keras.optimizers.Adam(1e-3))
    used = train[: half // batch_size * batch_size]  # a smaller last batch would have another log N
    model.fit({"x": x[used], "y": y[used]}, batch_size=batch_size, epochs=epochs, verbose=0)
    blocks = np.array_split(held_out, -(-len(held_out) // _COMPARED))
    return float(np.mean([model.bound_of(x[block], y[block]) for block in blocks]))


class NeuralBound(keras.Model):
    """A separable critic g(x)·h(y), trained to raise a lower bound on I(X; Y).

    Takes {"x": [B, Dx], "y": [B, Dy]} and returns the scores of all pairs [B, B]. Compile with an optimizer
    alone and fit without targets; the metric `bound` is that of batches before they are learned from, so
    with new samples in every batch it is an honest estimate. g and h have two hidden layers of so many units;
    `rank` is the length of g(x) and h(y), the seed that of the weights. Raises ValueError if there is no such
    bound.
    """

    def __init__(self, bound: Bound = "infonce", units: int = 256, rank: int = 32, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.objective, self.mine = _objective(bound), bound == "mine"
        seeds = (np.random.default_rng([seed, side]).integers(2**31, size=3) for side in range(2))
        self.g, self.h = (tower((units, units, rank), each) for each in seeds)
        self.tracker = keras.metrics.Mean("bound")
        self.log_average = self.add_weight(shape=(), initializer="zeros", trainable=False, name="log_average")
        self.batches = self.add_weight(shape=(), initializer="zeros", trainable=False, name="batches")

    def build(self, input_shape):
        self.g.build(input_shape["x"])
        self.h.build(input_shape["y"])

    def call(self, samples, training=False):
        return ops.matmul(self.g(samples["x"]), ops.transpose(self.h(samples["y"])))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        positive, negative = _pairs(y_pred)
        estimate = self.objective(positive, negative)
        self.tracker.update_state(estimate.bound)
        return mine_loss(positive, negative, self._average(negative)) if self.mine else estimate.loss

    def bound_of(self, x: np.ndarray, y: np.ndarray) -> float:
        """The bound in nats on samples x [N, Dx] and y [N, Dy], each x scored with each y."""
        estimate = self.objective(*_pairs(self({"x": x, "y": y})))
        return float(ops.convert_to_numpy(estimate.bound))

    def _average(self, negative):
        """log of the running average of mean exp(negative); a plain average until the rate is reached."""
        self.batches.assign_add(1.0)
        rate = ops.maximum(1 / self.batches, _AVERAGE_RATE)
        now = ops.logsumexp(negative) - ops.log(ops.cast(ops.size(negative), "float32"))
        average = ops.logaddexp(ops.log1p(-rate) + self.log_average, ops.log(rate) + now)
        self.log_average.assign(ops.stop_gradient(average))
        return self.log_average


def mine_loss(positive, negative, log_average):
    """What to minimise for MINE (https://arxiv.org/abs/1801.04062, eq. 12): its value says nothing.

    The gradient of Donsker-Varadhan divides by the mean exp(negative) of the batch, and is biased by it. Here
    it divides by exp(log_average), the average over many batches, a constant:

        -grad mean positive + grad mean exp(negative) / exp(log_average)

    which is the gradient of NWJ with all scores, [B, L] and [B, K, L], shifted by 1 - log_average.
    """
    shift = 1 - ops.stop_gradient(ops.convert_to_tensor(log_average))
    return nwj(ops.add(positive, shift), ops.add(negative, shift)).loss


def _pairs(scores):
    """Scores [N, N] as the objectives want them: positive [N, 1] and negative [N, N - 1, 1]."""
    return pairs(ops.cast(scores, "float32")[:, :, None])


def _objective(bound: Bound):
    if bound not in BOUNDS:
        raise ValueError(f"bound must be one of {BOUNDS}, not {bound!r}")
    return donsker_varadhan if bound == "mine" else OBJECTIVES[bound]


def tower(widths: Sequence[int], seeds: Iterable[int]) -> keras.Sequential:
    """Dense layers of these widths in float32, with ReLU between them and a seed for each."""
    activations = ["relu"] * (len(widths) - 1) + [None]
    initial = (keras.initializers.GlorotUniform(int(seed)) for seed in seeds)
    each = zip(widths, activations, initial, strict=True)
    return keras.Sequential([layers.Dense(n, a, kernel_initializer=k, dtype="float32") for n, a, k in each])


def correlated_gaussians(
    N: int, D: int, nats: float, seed: int | np.random.Generator = 0
) -> tuple[np.ndarray, np.ndarray]:
    """x and y, [N, D] each: D independent pairs of standard normals that share so many nats in all."""
    correlation = np.sqrt(-np.expm1(-2 * nats / D))
    x, noise = np.random.default_rng(seed).normal(size=(2, N, D))
    return x, correlation * x + np.sqrt(1 - correlation**2) * noise
