"""Losses of recommendation against loops in float64, at chance, in their gradients, and with masks."""

import math

import numpy as np
import pytest
from keras import ops

from dim.losses.recommendation import LOSSES

B = 7
SETTINGS = {"infonce": 0.3, "bpr": 0.4, "triplet": 0.6}


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    cosines = rng.uniform(-1, 1, (B, B)).astype("float32")
    negatives = rng.random((B, B)) < 0.6
    negatives[2], negatives[4] = False, np.arange(B) == 5  # none at all, and one
    np.fill_diagonal(negatives, False)
    return cosines, negatives, np.log(rng.dirichlet(np.ones(B))).astype("float32")


def value(name, cosines, negatives, log_share, setting=None):
    setting = SETTINGS[name] if setting is None else setting
    tensors = (ops.convert_to_tensor(x) for x in (cosines, negatives, log_share))
    loss = LOSSES[name](*tensors, setting)
    assert "float32" in str(loss.dtype) and len(loss.shape) == 0
    return float(ops.convert_to_numpy(loss))


def slow(name, cosines, negatives, log_share, setting):
    cosines, rows = cosines.astype("float64"), []
    for i in range(B):
        others = [j for j in range(B) if negatives[i, j]]
        if not others:
            continue
        if name == "infonce":
            own = math.exp(cosines[i, i] / setting) / math.exp(log_share[i])
            total = own + sum(math.exp(cosines[i, j] / setting) / math.exp(log_share[j]) for j in others)
            rows.append(-math.log(own / total))
            continue
        weights = [1 / math.exp(log_share[j]) for j in others]
        gaps = [cosines[i, j] - cosines[i, i] for j in others]
        if name == "bpr":
            pairs = [-math.log(1 / (1 + math.exp(gap / setting))) for gap in gaps]
        else:
            pairs = [max(0, setting + gap) for gap in gaps]
        rows.append(sum(w * p for w, p in zip(weights, pairs, strict=True)) / sum(weights))
    return sum(rows) / len(rows)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_that_of_a_loop(name, seed):
    given = inputs(seed)
    assert value(name, *given) == pytest.approx(slow(name, *given, SETTINGS[name]), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "chance"), [("infonce", math.log(1 + 4)), ("bpr", math.log(2)), ("triplet", 0.6)]
)
def test_at_equal_cosines_it_is_at_chance(name, chance):
    negatives = (np.arange(B) - np.arange(B)[:, None]) % B
    negatives = (negatives > 0) & (negatives < 5)  # four each
    given = np.full((B, B), 0.3, "float32"), negatives, np.full(B, -2.0, "float32")
    assert value(name, *given) == pytest.approx(chance, rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_descent_raises_true_cosines_lowers_negatives_and_leaves_all_others(name, gradient):
    cosines, negatives, log_share = inputs(1)
    loss = LOSSES[name]
    slope = gradient(lambda x: loss(x, negatives, ops.convert_to_tensor(log_share), 2.5), cosines)
    true, counts = np.eye(B, dtype=bool), negatives.any(axis=1)
    assert (slope[true][counts] < 0).all() and (slope[negatives] > 0).all()
    assert not slope[~true & ~negatives].any() and not slope[~counts].any()


@pytest.mark.parametrize("name", LOSSES)
def test_far_apart_and_without_negatives_all_is_finite(name, gradient):
    cosines, negatives, log_share = inputs(2)
    for which in negatives, np.zeros((B, B), bool):
        given = 100 * cosines, which, ops.convert_to_tensor(10 * log_share)
        slope = gradient(lambda x, given=given: LOSSES[name](x, *given[1:], SETTINGS[name]), given[0])
        assert np.isfinite(slope).all()
    assert value(name, cosines, np.zeros((B, B), bool), log_share) == 0


@pytest.mark.parametrize("name", LOSSES)
def test_a_popular_negative_counts_less(name):
    cosines, negatives, _ = inputs()
    cosines[:, 0] = 0.99
    even = np.full(B, math.log(1 / B), "float32")
    popular = np.where(np.arange(B) == 0, math.log(0.9), math.log(0.1 / (B - 1))).astype("float32")
    rows = negatives & (np.arange(B) > 0)[:, None] & negatives[:, :1]
    assert value(name, cosines, rows, popular) < value(name, cosines, rows, even)
