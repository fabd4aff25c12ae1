"""Objectives against slow loops in float64, closed forms, chance level, sign and extreme scores."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from dim.objectives import OBJECTIVES, critic_accuracy, info_nce, jensen_shannon

B, K, L = 5, 3, 7


def scores(scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    return scale * rng.normal(size=(B, L)), scale * rng.normal(size=(B, K, L))


def value(x):
    return float(ops.convert_to_numpy(x))


def info_nce_by_loops(positive, negative):
    losses = []
    for i in range(B):
        for location in range(L):
            candidates = [positive[i, location], *(negative[i, k, m] for k in range(K) for m in range(L))]
            losses.append(math.log(sum(math.exp(s) for s in candidates)) - positive[i, location])
    return sum(losses) / len(losses)


def jensen_shannon_by_loops(positive, negative):
    true = [math.log(1 + math.exp(-s)) for s in positive.flatten()]
    mismatched = [math.log(1 + math.exp(s)) for s in negative.flatten()]
    return sum(true) / len(true) + sum(mismatched) / len(mismatched)


LOOPS = {"infonce": info_nce_by_loops, "jsd": jensen_shannon_by_loops}
AT_CHANCE = {"infonce": math.log(1 + K * L), "jsd": 2 * math.log(2)}


def test_every_objective_is_tested_here():
    assert set(OBJECTIVES) == set(LOOPS) == set(AT_CHANCE)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("scale", [0.1, 1.0, 8.0])
def test_loss_equals_a_slow_loop(name, scale):
    positive, negative = scores(scale)
    assert value(OBJECTIVES[name](positive, negative).loss) == pytest.approx(
        LOOPS[name](positive, negative), rel=1e-5
    )


@pytest.mark.parametrize("name", OBJECTIVES)
def test_loss_at_equal_scores_is_chance_and_the_bound_is_zero(name):
    loss, bound = OBJECTIVES[name](np.zeros((B, L)), np.zeros((B, K, L)))
    assert value(loss) == pytest.approx(AT_CHANCE[name], rel=1e-6)
    assert value(bound) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_raising_a_true_score_lowers_the_loss_and_raising_a_mismatched_one_raises_it(name):
    positive, negative = scores()
    before = value(OBJECTIVES[name](positive, negative).loss)
    higher_positive, higher_negative = positive.copy(), negative.copy()
    higher_positive[2, 3] += 1
    higher_negative[2, 1, 3] += 1
    assert value(OBJECTIVES[name](higher_positive, negative).loss) < before
    assert value(OBJECTIVES[name](positive, higher_negative).loss) > before


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize(("true", "mismatched"), [(1e3, -1e3), (-1e3, 1e3), (1e3, 1e3), (-1e3, -1e3)])
def test_loss_is_finite_and_float32_at_extreme_scores(name, dtype, true, mismatched):
    positive = ops.cast(np.full((B, L), true), dtype)
    negative = ops.cast(np.full((B, K, L), mismatched), dtype)
    loss, bound = OBJECTIVES[name](positive, negative)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    assert math.isfinite(value(loss)) and math.isfinite(value(bound))


@pytest.mark.parametrize(
    ("name", "true", "expected"),
    [("infonce", -1e3, 1e3 + math.log(K * L)), ("jsd", -1e3, 1e3 + math.log(2))],
)
def test_a_lost_pair_costs_its_whole_score_where_log_of_sigmoid_would_saturate(name, true, expected):
    loss = OBJECTIVES[name](np.full((B, L), true), np.zeros((B, K, L))).loss
    assert value(loss) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradient_equals_finite_differences_in_float64_loops(name, gradient):
    positive, negative = scores()
    step = 1e-5
    expected = np.zeros((B, L))
    for i in range(B):
        for location in range(L):
            up, down = positive.copy(), positive.copy()
            up[i, location] += step
            down[i, location] -= step
            expected[i, location] = (LOOPS[name](up, negative) - LOOPS[name](down, negative)) / (2 * step)
    found = gradient(
        lambda p: OBJECTIVES[name](p, negative.astype("float32")).loss, positive.astype("float32")
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradient_reaches_true_pairs_at_extreme_scores(name, gradient):
    negative = np.zeros((B, K, L), "float32")
    found = gradient(lambda p: OBJECTIVES[name](p, negative).loss, np.full((B, L), -1e3, "float32"))
    np.testing.assert_allclose(found, -1 / (B * L), rtol=1e-5)


def test_adding_a_constant_to_all_scores_leaves_infonce_unchanged():
    positive, negative = scores()
    shifted = info_nce(positive + 50, negative + 50)
    assert value(shifted.loss) == pytest.approx(value(info_nce(positive, negative).loss), rel=1e-4)


def test_infonce_bound_never_exceeds_the_log_of_the_number_of_candidates():
    bound = info_nce(np.full((B, L), 1e3), np.full((B, K, L), -1e3)).bound
    assert value(bound) == pytest.approx(math.log(1 + K * L), rel=1e-6)


def test_jensen_shannon_bound_is_at_most_two_log_two():
    bound = jensen_shannon(np.full((B, L), 1e3), np.full((B, K, L), -1e3)).bound
    assert value(bound) == pytest.approx(2 * math.log(2), rel=1e-6)


def gaussian_scores(rng, count, correlation):
    """Scores of the optimal critic, log p(x, y) / p(x) p(y), for pairs of correlated Gaussians."""
    x = rng.normal(size=count)
    y = correlation * x + math.sqrt(1 - correlation**2) * rng.normal(size=count)

    def log_ratio(x, y):
        r = correlation
        return -0.5 * math.log(1 - r**2) - (r**2 * (x**2 + y**2) - 2 * r * x * y) / (2 * (1 - r**2))

    positive = log_ratio(x, y)[:, None]
    shifts = np.stack([log_ratio(x, np.roll(y, -k)) for k in range(1, 256)], axis=1)
    return positive, shifts[:, :, None]


def test_infonce_with_the_optimal_critic_finds_the_information_of_correlated_gaussians():
    true = 1.0
    correlation = math.sqrt(1 - math.exp(-2 * true))
    rng = np.random.default_rng(0)
    found = np.mean([value(info_nce(*gaussian_scores(rng, 2000, correlation)).bound) for _ in range(5)])
    assert found == pytest.approx(true, rel=0.05)


def test_critic_accuracy_against_a_loop_with_ties():
    rng = np.random.default_rng(0)
    positive, negative = rng.integers(0, 3, (B, L)), rng.integers(0, 3, (B, K, L))
    wins = [
        1.0 if positive[i, m] > negative[i, k, m] else 0.5 if positive[i, m] == negative[i, k, m] else 0.0
        for i in range(B)
        for k in range(K)
        for m in range(L)
    ]
    assert value(critic_accuracy(positive, negative)) == pytest.approx(np.mean(wins))


def test_critic_accuracy_is_one_half_at_chance_whatever_the_offset():
    assert value(critic_accuracy(np.full((B, L), 7.0), np.full((B, K, L), 7.0))) == 0.5
