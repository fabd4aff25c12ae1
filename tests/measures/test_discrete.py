"""Entropy and divergences: SciPy, loops with exact sums, closed forms, properties, extremes, bad input."""

import math

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dim.measures import (
    cross_entropy,
    entropy,
    jeffreys_divergence,
    jensen_shannon_divergence,
    kl_divergence,
    probabilities_from_counts,
)

DIVERGENCES = (kl_divergence, jeffreys_divergence, jensen_shannon_divergence)


def log_ratio(a, b):
    return math.log1p((a - b) / b) if abs(a - b) < b / 2 else math.log(a) - math.log(b)


def entropy_by_loop(p):
    return math.fsum(-a * math.log(a) for a in p if a > 0)


def cross_entropy_by_loop(p, q):
    return math.fsum(-a * math.log(b) for a, b in zip(p, q, strict=True) if a > 0)


def kl_by_loop(p, q):
    return math.fsum(a * log_ratio(a, b) for a, b in zip(p, q, strict=True) if a > 0)


def jensen_shannon_by_loop(p, q):
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return (kl_by_loop(p, middle) + kl_by_loop(q, middle)) / 2


def draw(shape, seed=0, axis=-1):
    p = np.random.default_rng(seed).gamma(0.3, size=shape)
    return p / p.sum(axis=axis, keepdims=True)


def weights(K):
    """K numbers of which some are zero or tiny and at least one is neither."""
    number = st.sampled_from([0.0, 1e-300, 1e-30]) | st.floats(1e-6, 1)
    return arrays("float64", K, elements=number).filter(lambda w: w.max() >= 1e-6)


@st.composite
def pairs(draw_from):
    K = draw_from(st.integers(1, 7))
    p, q = (draw_from(weights(K)) for _ in range(2))
    return p / p.sum(), q / q.sum()


@pytest.mark.parametrize("K", [1, 2, 7, 1000])
@pytest.mark.parametrize("seed", range(5))
def test_all_equal_scipy_and_a_loop(K, seed):
    p, q = draw(K, seed), draw(K, seed + 100)
    assert entropy(p) == pytest.approx(scipy.stats.entropy(p), rel=1e-12, abs=1e-300)
    assert entropy(p) == pytest.approx(entropy_by_loop(p), rel=1e-12, abs=1e-300)
    assert cross_entropy(p, q) == pytest.approx(cross_entropy_by_loop(p, q), rel=1e-12, abs=1e-300)
    assert kl_divergence(p, q) == pytest.approx(scipy.stats.entropy(p, q), rel=1e-12, abs=1e-300)
    assert kl_divergence(p, q) == pytest.approx(kl_by_loop(p, q), rel=1e-12, abs=1e-300)
    both = kl_by_loop(p, q) + kl_by_loop(q, p)
    assert jeffreys_divergence(p, q) == pytest.approx(both, rel=1e-12, abs=1e-300)
    assert jensen_shannon_divergence(p, q) == pytest.approx(jensen_shannon_by_loop(p, q), rel=1e-12)
    root = scipy.spatial.distance.jensenshannon(p, q)
    assert jensen_shannon_divergence(p, q) == pytest.approx(root**2, rel=1e-12)


@pytest.mark.parametrize("function", [entropy, cross_entropy, *DIVERGENCES])
def test_base_two_is_bits(function):
    arguments = [draw(6)] if function is entropy else [draw(6), draw(6, 1)]
    assert function(*arguments, base=2) == pytest.approx(function(*arguments) / math.log(2), rel=1e-14)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_any_axis_is_summed_over_and_gone(axis):
    shape = (3, 4, 5)
    p, q = draw(shape, 0, axis), draw(shape, 1, axis)
    last = np.moveaxis(p, axis, -1), np.moveaxis(q, axis, -1)
    for function, reference in (
        (cross_entropy, cross_entropy_by_loop),
        (kl_divergence, kl_by_loop),
        (jensen_shannon_divergence, jensen_shannon_by_loop),
    ):
        result = function(p, q, axis=axis)
        assert result.shape == last[0].shape[:-1]
        for at in np.ndindex(result.shape):
            assert result[at] == pytest.approx(reference(last[0][at], last[1][at]), rel=1e-12)
    assert entropy(p, axis=axis).shape == last[0].shape[:-1]


def test_many_against_one_reference():
    p, q = draw((4, 6)), draw(6, 1)
    expected = [kl_by_loop(row, q) for row in p]
    np.testing.assert_allclose(kl_divergence(p, q), expected, rtol=1e-12)


@pytest.mark.parametrize("K", [2, 5, 16])
def test_closed_forms(K):
    uniform, certain = np.full(K, 1 / K), np.eye(K)[1]
    assert entropy(uniform, base=K) == pytest.approx(1, rel=1e-15)
    assert entropy(certain) == 0
    assert kl_divergence(certain, uniform) == pytest.approx(math.log(K), rel=1e-15)
    assert cross_entropy(certain, uniform) == pytest.approx(math.log(K), rel=1e-15)
    assert cross_entropy(certain, certain) == 0
    apart = jensen_shannon_divergence(certain, np.eye(K)[0], base=2)
    assert apart == 1


def test_of_bernoulli_distributions():
    a, b = 0.3, 0.9
    expected = a * math.log(a / b) + (1 - a) * math.log((1 - a) / (1 - b))
    assert kl_divergence([a, 1 - a], [b, 1 - b]) == pytest.approx(expected, rel=1e-14)


def test_zero_and_infinity():
    half, first = [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]
    assert kl_divergence(first, half) == pytest.approx(math.log(2), rel=1e-15)
    assert kl_divergence(half, first) == cross_entropy(half, first) == math.inf
    assert jeffreys_divergence(half, first) == jeffreys_divergence(first, half) == math.inf
    assert 0 < jensen_shannon_divergence(half, first) < math.log(2)
    assert kl_divergence([1.0, 0.0], [1.0, 0.0]) == 0


def test_probabilities_of_1e_minus_300_are_neither_lost_nor_infinite():
    p, q = [1e-300, 1 - 1e-300], [0.5, 0.5]
    assert entropy([1e-300] * 3 + [1.0]) == pytest.approx(3e-300 * 300 * math.log(10), rel=1e-12)
    assert kl_divergence(q, p) == pytest.approx(
        0.5 * math.log(0.5) + 0.5 * (math.log(0.5) + 300 * math.log(10))
    )
    assert kl_divergence(p, q) == pytest.approx(math.log(2), rel=1e-12)
    assert cross_entropy(q, p) == pytest.approx(150 * math.log(10), rel=1e-12)
    one, other = [1e-300, 1.0, 0.0], [1e-10, 1.0 - 1e-10, 0.0]
    assert kl_divergence(one, other) == pytest.approx(1e-10, rel=1e-9)
    assert jensen_shannon_divergence([1e-300, 1.0], [0.0, 1.0]) == pytest.approx(0.5e-300 * math.log(2))


def test_close_to_zero_the_divergence_is_exact():
    """The sum of p·log(p / q) has lost all digits here; ½ Σ (p - q)²/p is right to 1e-8."""
    p = np.full(8, 1 / 8)
    step = 2.0**-27 * np.array([1, -1, 3, -3, 0, 2, -1, -1])
    expected = (step**2 / p).sum() / 2
    assert kl_divergence(p, p + step) == pytest.approx(expected, rel=1e-6)
    assert jensen_shannon_divergence(p, p + step) == pytest.approx(expected / 4, rel=1e-6)


@given(pairs())
def test_kl_is_never_negative_and_zero_only_for_equals(pair):
    p, q = pair
    assert kl_divergence(p, q) >= 0
    assert kl_divergence(p, p) == 0
    if np.abs(p - q).max() > 1e-7:
        assert kl_divergence(p, q) > 0


@given(pairs())
def test_cross_entropy_is_entropy_and_divergence(pair):
    p, q = pair
    assert cross_entropy(p, q) == pytest.approx(entropy(p) + kl_divergence(p, q), rel=1e-12, abs=1e-12)


@given(pairs())
def test_jensen_shannon_is_symmetric_and_at_most_log_two(pair):
    p, q = pair
    assert 0 <= jensen_shannon_divergence(p, q) <= math.log(2)
    assert jensen_shannon_divergence(p, q) == jensen_shannon_divergence(q, p)
    assert jeffreys_divergence(p, q) == jeffreys_divergence(q, p) >= 2 * jensen_shannon_divergence(p, q)


@given(pairs(), weights(7))
def test_the_root_of_jensen_shannon_obeys_the_triangle_inequality(pair, third):
    p, q = pair
    r = third[: len(p)] + 1e-9
    r = r / r.sum()
    sides = [math.sqrt(jensen_shannon_divergence(a, b)) for a, b in ((p, q), (p, r), (r, q))]
    assert sides[0] <= sides[1] + sides[2] + 1e-9


@given(pairs(), st.randoms(use_true_random=False))
def test_renaming_or_merging_outcomes(pair, random):
    p, q = pair
    order = list(range(len(p)))
    random.shuffle(order)
    for function in DIVERGENCES:
        value = function(p, q)
        assert function(p[order], q[order]) == pytest.approx(value, rel=1e-12, abs=1e-15)
        merged = [np.append(x[2:], x[:2].sum()) for x in (p, q)]
        assert function(*merged) <= value * (1 + 1e-12) + 1e-15


@given(pairs())
def test_entropy_lies_between_certainty_and_the_uniform(pair):
    assert 0 <= entropy(pair[0]) <= math.log(len(pair[0])) + 1e-15


@given(arrays("int64", st.integers(1, 9), elements=st.integers(0, 50)), st.floats(0.01, 3))
def test_smoothing_against_a_loop(counts, smoothing):
    N, K = int(counts.sum()), len(counts)
    expected = [(c + smoothing) / (N + smoothing * K) for c in counts]
    found = probabilities_from_counts(counts, smoothing)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert (found > 0).all()


def test_frequencies_along_an_axis():
    counts = [[1, 0], [3, 4]]
    np.testing.assert_allclose(probabilities_from_counts(counts, axis=0), [[0.25, 0], [0.75, 1]], rtol=1e-15)
    np.testing.assert_allclose(probabilities_from_counts(counts), [[1, 0], [3 / 7, 4 / 7]], rtol=1e-15)


def test_rounding_of_the_sum_is_forgiven_in_the_precision_it_came_in():
    p = draw(1000).astype("float32")
    assert entropy(p) == pytest.approx(entropy_by_loop(p.astype("float64")), rel=1e-5)
    with pytest.raises(ValueError, match="sums to"):
        entropy(p.astype("float64") * (1 + 1e-6))


@pytest.mark.parametrize(
    "bad", [[0.5, -0.5, 1.0], [0.5, 0.4], [1, 1], [0.5, math.nan], [math.inf, 0], [], 1.0]
)
@pytest.mark.parametrize("function", [entropy, cross_entropy, *DIVERGENCES])
def test_what_is_no_distribution_is_refused_by_name(function, bad):
    with pytest.raises(ValueError, match=r"^p "):
        function(*([bad] if function is entropy else [bad, [0.5, 0.5]]))
    if function is not entropy:
        with pytest.raises(ValueError, match=r"^q "):
            function([0.5, 0.5], bad)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: entropy([0.7, -0.2, 0.5]), r"p holds a negative probability \(-0.2\); it must be 0 or more"),
        (lambda: entropy([2, 3]), "p sums to 5 along axis -1.*probabilities_from_counts"),
        (lambda: entropy([0.5, math.nan]), "p holds NaN; leave out"),
        (lambda: entropy(["a"]), "p is not an array of numbers"),
        (lambda: entropy([[1.0], [0.5, 0.5]]), "p is not an array of numbers"),
        (lambda: entropy([1j]), "p is complex; give real"),
        (lambda: entropy([1.0], axis=1), "p of shape .* has no axis 1"),
        (lambda: entropy([1.0], base=1), "base must be a number above 1"),
        (lambda: entropy([1.0], base="2"), "base must be a number above 1"),
        (lambda: kl_divergence([1.0], [0.5, 0.5]), "p has 1 outcomes .* and q has 2; give both the same"),
        (lambda: kl_divergence(draw((2, 3)), draw((4, 3))), "p and q do not broadcast.* one of them alone"),
        (lambda: probabilities_from_counts([3, -1]), "counts holds -1; a count must be 0 or more"),
        (lambda: probabilities_from_counts([0, 0]), "counts sums to 0 .* smoothing above 0"),
        (lambda: probabilities_from_counts([1, 2], -1.0), "smoothing must be a finite number of 0 or more"),
    ],
)
def test_messages_name_the_argument_and_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_sum_that_is_1_but_for_rounding_is_made_1():
    p = np.array([0.2, 0.5, 0.3])
    assert entropy(p * (1 + 1e-8)) == pytest.approx(entropy(p), rel=1e-12)
