"""Estimates of mutual information and of dependence, which are never scores.

A critic T is trained to tell a joint distribution P from a product of its marginals Q; then the bound of
Donsker and Varadhan,

    KL(P ‖ Q) ≥ mean over P of T - log mean over Q of exp(T)        in nats

is read off from samples that it has not been trained on. The warnings that belong to every number here stand
below the table that shows them; in Hjelm et al.'s own Table 3 estimates and accuracies do not rank alike.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np

from dim.data.batches import Made, let_go
from dim.evaluation.evaluator import COMPONENTS, DEPENDENCE, TRAINING, Column, Evaluator, Features
from dim.evaluation.neural_bounds import tower
from dim.losses.objectives import donsker_varadhan

LEAST_SAMPLES, MOST_SAMPLES = 10, 20_000
_PARTS = 0.6, 0.2  # of the samples: trained on, and stopped by; the rest is read
_BATCH = 500
_STEPS = 25  # between two looks at the part that decides when to stop
_PATIENCE = 4
_MOST_LOOKS = 30
_MISMATCHED = 2  # for each true sample in training
_MISMATCHED_WHEN_READ = 5

Mismatch = Callable[[np.ndarray, np.random.Generator], np.ndarray]


class Estimate(NamedTuple):
    """What a trained critic reads from samples that it has not seen."""

    nats: float  # which can be negative
    samples: int  # N, true ones it was read from

    @property
    def ceiling(self) -> float:
        """ln N in nats; beyond it an estimate bounds nothing."""
        return math.log(self.samples)

    @property
    def credible(self) -> bool:
        """Whether the estimate stays below its ceiling. One that does may still be far too low."""
        return self.nats < self.ceiling


def mutual_information(
    x: np.ndarray, y: np.ndarray, units: tuple[int, ...] = (1000, 200), seed: int = 0
) -> Estimate:
    """MINE of I(X; Y) (Belghazi et al. 2018, https://arxiv.org/abs/1801.04062).

    Row i of x [N, F] belongs to row i of y [N, D]; they are mismatched by rolling one of them within a batch.
    `units` are those of the critic's hidden layers, the seed that of initial weights, the parts, order and
    mismatches.
    """

    def mismatch(pairs, rng):
        one, other = np.split(pairs, [x.shape[1]], axis=1)
        return np.concatenate([one, np.roll(other, rng.integers(1, len(pairs)), axis=0)], axis=1)

    return _divergence(np.concatenate([_standardised(x), _standardised(y)], axis=1), mismatch, units, seed)


def neural_dependency(codes: np.ndarray, units: tuple[int, ...] = (1000, 200), seed: int = 0) -> Estimate:
    """The neural dependency measure of Hjelm et al. 2019, section 4.1: total correlation of the dimensions.

        KL( p(y) ‖ Π p(y_d) )        0 where all dimensions are independent

    The dimensions of codes [N, D] are mismatched by shuffling each over a batch. The critic is the paper's by
    default.
    """
    return _divergence(_standardised(codes), lambda rows, rng: rng.permuted(rows, axis=0), units, seed)


def _standardised(x: np.ndarray) -> np.ndarray:
    deviation = x.std(axis=0)
    return ((x - x.mean(axis=0)) / np.where(deviation > 0, deviation, 1)).astype("float32")


def _divergence(joint: np.ndarray, mismatch: Mismatch, units: tuple[int, ...], seed: int) -> Estimate:
    """KL from the rows of `joint` to their mismatches."""
    N = len(joint)
    if N < LEAST_SAMPLES:
        raise ValueError(f"an estimate needs at least {LEAST_SAMPLES} samples, not {N}")
    rng = np.random.default_rng(seed)
    joint = joint[rng.permutation(N)]
    fit, stop, read = np.split(joint, np.cumsum([round(part * N) for part in _PARTS]))
    critic = _Critic(units, seed)
    critic.compile(keras.optimizers.Adam(1e-3))

    def stop_beyond(epoch, logs):
        if -logs["val_loss"] > 2 * math.log(len(read)):  # no number of samples at hand can prove such a bound
            critic.stop_training = True

    stopping = [
        keras.callbacks.EarlyStopping(patience=_PATIENCE, restore_best_weights=True),
        keras.callbacks.LambdaCallback(on_epoch_end=stop_beyond),
    ]
    trained, held = _samples(fit, mismatch, seed), _once(*_mismatched_often(stop, mismatch, rng))
    how = {"steps_per_epoch": _STEPS, "epochs": _MOST_LOOKS, "shuffle": False, "verbose": 0}
    critic.fit(trained, validation_data=held, callbacks=stopping, **how)
    let_go(trained)
    let_go(held)
    true, mismatched = (_scores(critic, rows) for rows in _mismatched_often(read, mismatch, rng))
    return Estimate(float(donsker_varadhan(true, mismatched).bound), len(read))


def _mismatched_often(rows: np.ndarray, mismatch: Mismatch, rng: np.random.Generator):
    return rows, np.concatenate([mismatch(rows, rng) for _ in range(_MISMATCHED_WHEN_READ)])


def _scores(critic: "_Critic", rows: np.ndarray) -> np.ndarray:
    blocks = np.split(rows, range(_BATCH, len(rows), _BATCH))
    return np.concatenate([keras.ops.convert_to_numpy(critic.score(block)) for block in blocks])


def _samples(rows: np.ndarray, mismatch: Mismatch, seed: int) -> Made:
    """Random batches of true samples and their mismatches, without end."""

    def batch(index):
        rng = np.random.default_rng([seed, index])
        true = rows[rng.choice(len(rows), min(_BATCH, len(rows)), replace=False)]
        return ((true, np.concatenate([mismatch(true, rng) for _ in range(_MISMATCHED)])),)

    return Made(batch)


def _once(true: np.ndarray, mismatched: np.ndarray) -> Made:
    return Made(lambda _: ((true, mismatched),), 1)


class _Critic(keras.Model):
    def __init__(self, units, seed):
        super().__init__(dtype="float32", name="critic")
        self.score = tower((*units, 1), range(seed, seed + len(units) + 1))

    def build(self, input_shape):
        self.score.build(input_shape[0])

    def call(self, samples):
        return tuple(self.score(rows) for rows in samples)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        true, mismatched = y_pred
        return donsker_varadhan(true, mismatched[:, None]).loss


KNOWN = {f"Gaussians of {nats:g} nats": nats for nats in (2.0, 20.0)}
"""What the estimates are held against: names, and the nats of Gaussians that lie behind them."""


def _measured(features: Features) -> dict[str, float]:
    """Of at most 20,000 training images; of samples that are no codes the mutual information alone."""
    x, codes, seed = features.components, features.train, features.seed
    if len(codes) < LEAST_SAMPLES:
        features.note(f"dependence needs at least {LEAST_SAMPLES} training images")
        return {}
    if features.encoder is not None:
        rows = np.random.default_rng(seed).permutation(len(codes))[:MOST_SAMPLES]
        x, codes = x[rows], codes[rows]
    information = mutual_information(x, codes, seed=seed)
    measured = {"mutual_information": information.nats, "ceiling": information.ceiling}
    if features.encoder is not None:
        measured["neural_dependency"] = neural_dependency(codes, seed=seed).nats
    return measured


_COLUMNS = (
    Column("mutual_information", "I(X; Y) by MINE (nats)", ceiling="ceiling"),
    Column("neural_dependency", "NDM (nats)", ceiling="ceiling"),
    Column("ceiling", "ln N (nats)"),
)
_ABOUT = """
- MINE: between the code and principal components of the pixels, which can only lower it. NDM: total
  correlation of the code's dimensions. Both are read by a critic from N samples it was not trained on.
- **No estimate from N samples that exceeds ln N bounds anything, and one below may be far too low**
  (McAllester and Stratos 2020, arXiv 1811.04251), so one beyond is not printed. The rows of Gaussians show
  it: as many samples of the same length, whose information is known, as the same critic reads them.
- A code can hold much information and be useless (Tschannen et al. 2020, arXiv 1907.13625). None of these
  numbers ranks encoders.
"""
ESTIMATES = Evaluator("dependence", DEPENDENCE, {COMPONENTS, TRAINING}, _measured, _COLUMNS, _ABOUT)
