"""Objectives against slow loops in float64, closed forms, chance level, sign, extremes, known information."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from dim.losses.objectives import (
    OBJECTIVES,
    critic_accuracy,
    donsker_varadhan,
    info_nce,
    jensen_shannon,
    mean_square,
    nwj,
    soft_clip,
)

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


def donsker_varadhan_by_loops(positive, negative):
    true, mismatched = list(positive.flatten()), [math.exp(s) for s in negative.flatten()]
    return math.log(sum(mismatched) / len(mismatched)) - sum(true) / len(true)


def nwj_by_loops(positive, negative):
    true = list(positive.flatten())
    mismatched = [math.exp(s - 1) if s <= 20 else math.exp(19) * (s - 19) for s in negative.flatten()]
    return sum(mismatched) / len(mismatched) - sum(true) / len(true)


LOOPS = {
    "infonce": info_nce_by_loops,
    "jsd": jensen_shannon_by_loops,
    "dv": donsker_varadhan_by_loops,
    "nwj": nwj_by_loops,
}
# (loss, bound) at zero scores
AT_CHANCE = {
    "infonce": (math.log(1 + K * L), 0),
    "jsd": (2 * math.log(2), 0),
    "dv": (0, 0),
    "nwj": (1 / math.e, -1 / math.e),
}


def sigmoid(x):
    return np.where(x > 0, 1, np.exp(-abs(x))) / (1 + np.exp(-abs(x)))


def softmax(x, axis):
    weights = np.exp(x - x.max(axis, keepdims=True))
    return weights / weights.sum(axis, keepdims=True)


def info_nce_gradients(positive, negative):
    others = np.logaddexp.reduce(negative, axis=(1, 2))[:, None]
    missed = sigmoid(others - positive)
    return -missed / (B * L), softmax(negative, axis=(1, 2)) * missed.mean(1)[:, None, None] / B


GRADIENTS = {
    "infonce": info_nce_gradients,
    "jsd": lambda p, n: (-sigmoid(-p) / (B * L), sigmoid(n) / (B * K * L)),
    "dv": lambda p, n: (np.full((B, L), -1 / (B * L)), softmax(n, axis=(0, 1, 2))),
    "nwj": lambda p, n: (np.full((B, L), -1 / (B * L)), np.exp(np.minimum(n, 20) - 1) / (B * K * L)),
}


def test_every_objective_is_tested_here():
    assert set(OBJECTIVES) == set(LOOPS) == set(AT_CHANCE) == set(GRADIENTS)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("scale", [0.1, 1.0, 8.0, 20.0])
def test_loss_equals_a_slow_loop_and_the_bound_differs_from_its_negative_by_a_constant(name, scale):
    positive, negative = scores(scale)
    loss, bound = OBJECTIVES[name](positive, negative)
    expected = LOOPS[name](positive, negative)
    assert value(loss) == pytest.approx(expected, rel=1e-5)
    assert value(bound) == pytest.approx(sum(AT_CHANCE[name]) - expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_loss_and_bound_at_zero_scores_are_those_of_chance(name):
    loss, bound = OBJECTIVES[name](np.zeros((B, L)), np.zeros((B, K, L)))
    assert (value(loss), value(bound)) == pytest.approx(AT_CHANCE[name], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_raising_any_true_score_lowers_the_loss_and_raising_any_mismatched_one_raises_it(name):
    positive, negative = scores()
    before = value(OBJECTIVES[name](positive, negative).loss)
    for at in np.ndindex(positive.shape):
        higher = positive.copy()
        higher[at] += 1
        assert value(OBJECTIVES[name](higher, negative).loss) < before
    for at in np.ndindex(negative.shape):
        higher = negative.copy()
        higher[at] += 1
        assert value(OBJECTIVES[name](positive, higher).loss) > before


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
    [
        ("infonce", -1e3, 1e3 + math.log(K * L)),
        ("jsd", -1e3, 1e3 + math.log(2)),
        ("dv", -1e3, 1e3),
        ("nwj", -1e3, 1e3 + 1 / math.e),
    ],
)
def test_a_lost_pair_costs_its_whole_score_where_log_of_sigmoid_would_saturate(name, true, expected):
    loss = OBJECTIVES[name](np.full((B, L), true), np.zeros((B, K, L))).loss
    assert value(loss) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_closed_gradients_of_this_file_equal_finite_differences_of_its_loops(name):
    arrays = scores()
    for which, found in enumerate(GRADIENTS[name](*arrays)):
        for at in np.ndindex(found.shape):
            up, down = [a.copy() for a in arrays], [a.copy() for a in arrays]
            up[which][at] += 1e-5
            down[which][at] -= 1e-5
            expected = (LOOPS[name](*up) - LOOPS[name](*down)) / 2e-5
            assert found[at] == pytest.approx(expected, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("bfloat16", 1e-2)])
@pytest.mark.parametrize("extreme", [0.0, 1e3])
def test_gradients_are_right_at_ordinary_and_at_extreme_scores(name, dtype, tolerance, extreme, gradient):
    """Two scores in seven are ±1e3 where `extreme`; bfloat16 holds every one of them exactly, and
    float32 can tell apart what lies 6e-5 from 1e3.
    """
    rng = np.random.default_rng(0)
    ordinary = [-3.0, -1.0, 0.0, 0.5, 2.0]
    drawn = ordinary + [-extreme, extreme] * (extreme > 0)
    arrays = [rng.choice(drawn, shape).astype("float32") for shape in ((B, L), (B, K, L))]

    def loss(x, which):
        mine = [x if position == which else array for position, array in enumerate(arrays)]
        return OBJECTIVES[name](*(ops.cast(array, dtype) for array in mine)).loss

    expected = GRADIENTS[name](*(a.astype("float64") for a in arrays))
    for which in (0, 1):
        found = gradient(lambda x, which=which: loss(x, which), arrays[which])
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, expected[which], rtol=tolerance, atol=1e-9)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("extreme", [-1e3, 1e3])
def test_gradient_drives_extreme_mismatched_scores_down_and_never_up(name, extreme, gradient):
    negative = np.full((B, K, L), extreme, "float32")
    positive = np.zeros((B, L), "float32")
    found = gradient(lambda n: OBJECTIVES[name](positive, n).loss, negative)
    assert np.isfinite(found).all() and (found >= 0).all()
    assert extreme < 0 or (found > 0).all()


def test_nwj_goes_on_straight_above_twenty_without_a_step(gradient):
    positive = np.zeros((B, L), "float32")

    def loss_at(score):
        return value(nwj(positive, np.full((B, K, L), score)).loss)

    def slope_at(score):
        return gradient(lambda n: nwj(positive, n).loss, np.full((B, K, L), score, "float32")).sum()

    assert loss_at(19.9999) == pytest.approx(loss_at(20.0001), rel=1e-3)
    assert slope_at(19.9999) == pytest.approx(slope_at(20.0001), rel=1e-3)
    assert slope_at(19.0) == pytest.approx(math.exp(18), rel=1e-4)
    for score in (21.0, 100.0, 1e3):
        assert slope_at(score) == pytest.approx(math.exp(19), rel=1e-4)
        assert loss_at(score) == pytest.approx(math.exp(19) * (score - 19), rel=1e-4)


@pytest.mark.parametrize(("name", "free"), [("infonce", True), ("dv", True), ("jsd", False), ("nwj", False)])
@pytest.mark.parametrize("constant", [-7.0, 10.0])
def test_the_offset_of_the_scores_is_left_free_or_not(name, free, constant):
    positive, negative = scores()
    before = value(OBJECTIVES[name](positive, negative).loss)
    after = value(OBJECTIVES[name](positive + constant, negative + constant).loss)
    if free:
        assert after == pytest.approx(before, rel=1e-5, abs=1e-5)
    else:
        assert abs(after - before) > 1


def test_nwj_at_scores_of_one_is_zero():
    assert value(nwj(np.ones((B, L)), np.ones((B, K, L))).loss) == pytest.approx(0, abs=1e-6)


def test_infonce_bound_never_exceeds_the_log_of_the_number_of_candidates():
    bound = info_nce(np.full((B, L), 1e3), np.full((B, K, L), -1e3)).bound
    assert value(bound) == pytest.approx(math.log(1 + K * L), rel=1e-6)


def test_jensen_shannon_bound_is_at_most_two_log_two():
    bound = jensen_shannon(np.full((B, L), 1e3), np.full((B, K, L), -1e3)).bound
    assert value(bound) == pytest.approx(2 * math.log(2), rel=1e-6)


def log_ratio(x, y, r):
    """log p(x, y) / p(x) p(y) of one pair of standard normals with correlation r."""
    return -0.5 * math.log(1 - r**2) - (r**2 * (x**2 + y**2) - 2 * r * x * y) / (2 * (1 - r**2))


def gaussian_scores(rng, r, d, images, negatives, locations=1):
    """Optimal scores, the log of the density ratio, of x [B, d] and y [B, L, d] correlated in each dimension.

    Code i meets the y of images i and i + 1 … i + K (mod B). Information: -½·d·log(1 - r²).
    """
    x = rng.normal(size=(images, d))
    y = r * x[:, None] + math.sqrt(1 - r**2) * rng.normal(size=(images, locations, d))
    shifts = [log_ratio(x[:, None], np.roll(y, -k, axis=0), r).sum(-1) for k in range(negatives + 1)]
    return shifts[0], np.stack(shifts[1:], axis=1)


def correlation(information, d):
    return math.sqrt(1 - math.exp(-2 * information / d))


@pytest.mark.parametrize(("objective", "offset"), [(info_nce, 3), (donsker_varadhan, 3), (nwj, 1)])
@pytest.mark.parametrize(("information", "d"), [(0.5, 1), (1.0, 3), (2.0, 2)])
def test_the_optimal_critic_finds_the_information_of_correlated_gaussians(objective, offset, information, d):
    rng = np.random.default_rng(0)
    r = correlation(information, d)
    found = []
    for _ in range(5):
        positive, negative = gaussian_scores(rng, r, d, images=2000, negatives=255)
        found.append(value(objective(positive + offset, negative + offset).bound))
    assert np.mean(found) == pytest.approx(information, rel=0.05)


def test_infonce_stops_at_the_log_of_the_number_of_candidates_where_the_information_is_larger():
    information, d, negatives, locations = 8.0, 4, 6, 3
    cap = math.log(1 + negatives * locations)
    positive, negative = gaussian_scores(
        np.random.default_rng(0), correlation(information, d), d, 2000, negatives, locations
    )
    assert positive.mean() == pytest.approx(information, rel=0.05)
    assert 0.95 * cap < value(info_nce(positive, negative).bound) < cap < information / 2


@pytest.mark.parametrize("information", [0.5, 2.0])
def test_jensen_shannon_with_the_optimal_critic_finds_twice_the_divergence(information):
    r = correlation(information, 1)
    x, y = np.meshgrid(np.linspace(-9, 9, 1801), np.linspace(-9, 9, 1801))
    product = np.exp(-(x**2 + y**2) / 2) / (2 * np.pi)
    ratio = log_ratio(x, y, r)
    joint = product * np.exp(ratio)
    # log(joint / middle) and log(product / middle) of the middle (joint + product) / 2
    of_joint, of_product = math.log(2) - np.logaddexp(0, -ratio), math.log(2) - np.logaddexp(0, ratio)
    divergence = (joint * of_joint + product * of_product).sum() / 2 * 0.01**2
    assert joint.sum() * 0.01**2 == pytest.approx(1, rel=1e-6)

    rng = np.random.default_rng(0)
    found = np.mean([value(jensen_shannon(*gaussian_scores(rng, r, 1, 4000, 64)).bound) for _ in range(5)])
    assert found == pytest.approx(2 * divergence, rel=0.02)


def test_soft_clip_equals_a_loop_and_stays_within_the_limit():
    raw = np.array([-1e3, -30.0, -20.0, -1.0, 0.0, 0.01, 5.0, 20.0, 1e3])
    clipped = ops.convert_to_numpy(soft_clip(raw, 20.0))
    np.testing.assert_allclose(clipped, [20 * math.tanh(s / 20) for s in raw], rtol=1e-5)
    assert (abs(clipped) <= 20).all() and (np.diff(clipped) > 0).all()
    assert clipped[5] == pytest.approx(0.01, rel=1e-5)


def test_soft_clip_of_bfloat16_is_float32():
    clipped = soft_clip(ops.cast(np.full((B, L), 1e3), "bfloat16"), 20.0)
    assert keras.backend.standardize_dtype(clipped.dtype) == "float32"
    np.testing.assert_array_equal(ops.convert_to_numpy(clipped), 20)


def test_where_soft_clip_has_no_gradient_left_the_penalty_still_pulls(gradient):
    raw = np.array([[0.0, 5.0, 1e3]], "float32")
    negative = np.zeros((1, K, 3), "float32")
    clipped = gradient(lambda s: ops.sum(soft_clip(s, 20.0)), raw)
    np.testing.assert_allclose(clipped, 1 - np.tanh(raw / 20) ** 2, atol=1e-6)
    assert clipped[0, 2] == 0
    penalty = gradient(lambda s: mean_square(s, negative), raw)
    np.testing.assert_allclose(penalty, 2 * raw / (3 + 3 * K), rtol=1e-6)


def test_mean_square_weighs_every_score_alike():
    positive, negative = scores()
    squares = [s**2 for s in (*positive.flatten(), *negative.flatten())]
    assert value(mean_square(positive, negative)) == pytest.approx(sum(squares) / len(squares), rel=1e-6)


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
