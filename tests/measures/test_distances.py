"""Norms and distances: SciPy, NumPy and scikit-learn, exact fractions, properties, extremes, bad input."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import distance as scipy_distance
from sklearn.covariance import EmpiricalCovariance, LedoitWolf

from dim.measures import (
    cosine_distance,
    estimate_covariance,
    lp_distance,
    lp_norm,
    mahalanobis_distance,
    mahalanobis_to_samples,
    pairwise_blocks,
    pairwise_distances,
)
from dim.measures.distances import METRICS

EPSILON = np.finfo("float64").eps
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(7, 4)), RNG.normal(size=(5, 4))
FACTOR = RNG.normal(size=(4, 6))
COVARIANCE = FACTOR @ FACTOR.T
INVERSE = np.linalg.inv(COVARIANCE)

# our options, and SciPy's function of two vectors
METRIC_CASES = [
    ({"metric": "l1"}, scipy_distance.cityblock),
    ({"metric": "l2"}, scipy_distance.euclidean),
    ({"metric": "lp", "p": 1}, scipy_distance.cityblock),
    ({"metric": "lp", "p": 2}, scipy_distance.euclidean),
    ({"metric": "lp", "p": 3.5}, lambda u, v: scipy_distance.minkowski(u, v, 3.5)),
    ({"metric": "lp", "p": math.inf}, scipy_distance.chebyshev),
    ({"metric": "cosine"}, scipy_distance.cosine),
    (
        {"metric": "mahalanobis", "covariance": COVARIANCE},
        lambda u, v: scipy_distance.mahalanobis(u, v, INVERSE),
    ),
]


def one_by_one(x, y, metric, p=2.0, covariance=None):
    """Our functions of pairs, under the names of the metrics."""
    if metric == "cosine":
        return cosine_distance(x, y)
    if metric == "mahalanobis":
        return mahalanobis_distance(x, y, covariance)
    return lp_distance(x, y, {"l1": 1, "l2": 2}.get(metric, p))


def squared_by_fractions(x, y, covariance):
    """Exact (x - y)ᵀ Σ⁻¹ (x - y), by elimination."""
    D = len(x)
    difference = [Fraction(a) - Fraction(b) for a, b in zip(x, y, strict=True)]
    rows = [[*(Fraction(c) for c in covariance[i]), difference[i]] for i in range(D)]
    for i in range(D):
        rows[i] = [c / rows[i][i] for c in rows[i]]
        for j in set(range(D)) - {i}:
            rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return float(sum(a * row[-1] for a, row in zip(difference, rows, strict=True)))


def test_every_metric_is_tested_here():
    assert {options["metric"] for options, _ in METRIC_CASES} == set(METRICS)


@pytest.mark.parametrize(("options", "reference"), METRIC_CASES)
def test_pairwise_equals_scipy_pair_by_pair_and_our_own_function_of_pairs(options, reference):
    expected = [[reference(u, v) for v in Y] for u in X]
    np.testing.assert_allclose(pairwise_distances(X, Y, **options), expected, rtol=1e-12)
    np.testing.assert_allclose(one_by_one(X[:, None], Y, **options), expected, rtol=1e-12)


@pytest.mark.parametrize(("options", "reference"), METRIC_CASES)
@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_blocks_are_the_rows_of_the_whole(options, reference, batch_size):
    whole, seen = pairwise_distances(X, Y, **options), []
    for rows, block in pairwise_blocks(X, Y, **options, batch_size=batch_size):
        assert len(block) <= batch_size
        np.testing.assert_allclose(block, whole[rows], rtol=1e-14)
        seen += range(*rows.indices(len(X)))
    assert seen == list(range(len(X)))


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 7.3, math.inf])
def test_norm_equals_numpy(p):
    np.testing.assert_allclose(lp_norm(X, p), [np.linalg.norm(x, p) for x in X], rtol=1e-13)
    assert lp_norm([3.0, -4.0], 2) == 5 and lp_norm(np.zeros(3), p) == 0
    assert lp_norm(-2.0, p) == 2


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_norms_neither_overflow_nor_underflow(scale):
    assert lp_norm([3 * scale, 4 * scale], 2) == pytest.approx(5 * scale, rel=1e-14)
    assert lp_norm([scale, scale], 3) == pytest.approx(2 ** (1 / 3) * scale, rel=1e-14)
    assert cosine_distance([scale, 0], [scale, scale]) == pytest.approx(1 - math.sqrt(0.5), rel=1e-14)
    assert pairwise_distances([[scale, 0]], [[0, scale]], "cosine")[0, 0] == pytest.approx(1, rel=1e-14)


def test_cosine_at_its_ends():
    x = np.array([1.0, 2.0, -3.0])
    assert cosine_distance(x, 7 * x) == pytest.approx(0, abs=1e-30)
    assert cosine_distance(x, -x) == pytest.approx(2, rel=1e-15)
    assert cosine_distance(x, [3.0, 0.0, 1.0]) == pytest.approx(1, rel=1e-15)
    assert cosine_distance(x, np.zeros(3)) == cosine_distance(np.zeros(3), np.zeros(3)) == 1
    zeros = pairwise_distances([x, np.zeros(3)], [np.zeros(3), x], "cosine")
    np.testing.assert_allclose(zeros, [[1, 0], [1, 1]], atol=1e-30)


def test_cosine_of_nearly_parallel_vectors_keeps_its_digits():
    angle = 1e-9
    x, y = [1.0, 0.0], [1.0, math.tan(angle)]
    assert cosine_distance(x, y) == pytest.approx(angle**2 / 2, rel=1e-12)
    assert pairwise_distances([x], [y], "cosine")[0, 0] == pytest.approx(angle**2 / 2, rel=1e-12)


def test_mahalanobis_squared_or_not():
    root = mahalanobis_distance(X, X.mean(axis=0), COVARIANCE)
    squared = mahalanobis_distance(X, X.mean(axis=0), COVARIANCE, squared=True)
    np.testing.assert_allclose(squared, root**2, rtol=1e-14)
    expected = [squared_by_fractions(x, X.mean(axis=0), COVARIANCE) for x in X]
    np.testing.assert_allclose(squared, expected, rtol=1e-12)


def test_with_unit_covariance_mahalanobis_is_euclidean():
    np.testing.assert_allclose(mahalanobis_distance(X, Y[0], np.eye(4)), lp_distance(X, Y[0]), rtol=1e-14)


def test_distance_to_samples_equals_scikit_learn_which_squares():
    samples = np.random.default_rng(1).normal(size=(50, 4)) @ FACTOR[:, :4] + 100
    reference = EmpiricalCovariance().fit(samples)
    found = mahalanobis_to_samples(X, samples, "none", squared=True)
    np.testing.assert_allclose(found, reference.mahalanobis(X), rtol=1e-9)
    np.testing.assert_allclose(mahalanobis_to_samples(X, samples), np.sqrt(found), rtol=1e-12)


@pytest.mark.parametrize("units", [1e-5, 1e5])
def test_units_cost_no_digits(units):
    """Condition 1e10 and more that comes of units alone."""
    scale = np.array([1.0, units, 1 / units, 1.0])
    scaled = COVARIANCE * np.outer(scale, scale)
    assert np.linalg.cond(scaled) > 1e10
    for x in X:
        expected = math.sqrt(squared_by_fractions(x * scale, Y[0] * scale, scaled))
        assert mahalanobis_distance(x * scale, Y[0] * scale, scaled) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_correlations_of_condition_1e10_cost_the_digits_that_they_must(seed):
    directions = np.linalg.qr(np.random.default_rng(seed).normal(size=(4, 4)))[0]
    covariance = (directions * np.geomspace(1, 1e-10, 4)) @ directions.T
    covariance = (covariance + covariance.T) / 2
    for x in X:
        expected = math.sqrt(squared_by_fractions(x, Y[0], covariance))
        tolerance = 4 * 1e10 * EPSILON
        assert mahalanobis_distance(x, Y[0], covariance) == pytest.approx(expected, rel=tolerance)
        found = pairwise_distances([x], Y, "mahalanobis", covariance=covariance)[0, 0]
        assert found == pytest.approx(expected, rel=tolerance)


def test_a_common_offset_costs_pairwise_mahalanobis_nothing():
    x, y = np.round(X, 3) + 2.0**20, np.round(Y, 3) + 2.0**20
    expected = [[mahalanobis_distance(u, v, COVARIANCE) for v in y] for u in x]
    found = pairwise_distances(x, y, "mahalanobis", covariance=COVARIANCE)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_covariance_is_scikit_learns_with_and_without_shrinkage():
    samples = np.random.default_rng(2).normal(size=(30, 4))
    plain = estimate_covariance(samples, "none")
    np.testing.assert_allclose(plain, np.cov(samples.T, bias=True), rtol=1e-12)
    np.testing.assert_array_equal(estimate_covariance(samples, "auto"), plain)
    shrunk = estimate_covariance(samples, "ledoit-wolf")
    np.testing.assert_allclose(shrunk, LedoitWolf().fit(samples).covariance_, rtol=1e-12)


@pytest.mark.parametrize("repeat", [False, True], ids=["fewer samples than features", "a repeated feature"])
def test_a_singular_covariance_is_shrunk_when_left_to_itself(repeat):
    samples = np.random.default_rng(3).normal(size=(40 if repeat else 4, 5))
    if repeat:
        samples[:, 4] = samples[:, 0] - 2 * samples[:, 1]
    with pytest.raises(ValueError, match=r"covariance is .*ledoit-wolf"):
        mahalanobis_to_samples(samples[0], samples, "none")
    np.testing.assert_array_equal(estimate_covariance(samples), estimate_covariance(samples, "ledoit-wolf"))
    assert mahalanobis_to_samples(samples[0], samples) > 0


vectors = arrays("float64", 3, elements=st.floats(-1e3, 1e3).map(lambda v: round(v, 6)))


@given(vectors, vectors, vectors, st.sampled_from([1, 1.5, 2, 4, math.inf]))
def test_lp_is_a_metric(x, y, z, p):
    assert lp_distance(x, y, p) == lp_distance(y, x, p) >= 0
    assert (lp_distance(x, y, p) == 0) == (x == y).all()
    assert lp_distance(x, y, p) <= (lp_distance(x, z, p) + lp_distance(z, y, p)) * (1 + 1e-12)
    assert lp_norm(-3 * x, p) == pytest.approx(3 * lp_norm(x, p), rel=1e-12)


@given(vectors)
def test_the_norm_falls_with_p(x):
    norms = [lp_norm(x, p) for p in (1, 1.5, 2, 4, math.inf)]
    assert all(a >= b * (1 - 1e-12) for a, b in pairwise(norms))


@given(vectors, vectors, st.floats(1e-3, 1e3))
def test_cosine_distance_knows_no_lengths(x, y, scale):
    assert cosine_distance(x * scale, y) == pytest.approx(cosine_distance(x, y), rel=1e-9, abs=1e-14)
    assert 0 <= cosine_distance(x, y) <= 2 * (1 + 1e-15)


def test_cosine_distance_breaks_the_triangle_inequality():
    a, b, c = [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]
    assert cosine_distance(a, c) > cosine_distance(a, b) + cosine_distance(b, c)


@given(vectors, vectors, vectors, st.integers(0, 10**6))
def test_mahalanobis_is_a_metric_and_survives_linear_maps(x, y, z, seed):
    rng = np.random.default_rng(seed)
    factor, a = rng.normal(size=(3, 6)), rng.normal(size=(3, 3)) + 4 * np.eye(3)
    covariance = factor @ factor.T

    def distance(u, v):
        return mahalanobis_distance(u, v, covariance)

    assert distance(x, y) == distance(y, x) >= 0
    assert (distance(x, y) == 0) == (x == y).all()
    assert distance(x, y) <= (distance(x, z) + distance(z, y)) * (1 + 1e-9)
    mapped = a @ covariance @ a.T
    moved = mahalanobis_distance(a @ x + z, a @ y + z, (mapped + mapped.T) / 2)
    assert moved == pytest.approx(distance(x, y), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lp_norm([1, math.nan]), "x holds NaN; leave out"),
        (lambda: lp_norm([]), "x is empty .*; give at least one"),
        (lambda: lp_norm([1.0], 0.5), "p must be 1 or more"),
        (lambda: lp_distance([1.0], [1.0], math.nan), "p must be 1 or more"),
        (lambda: lp_distance([1, 2], [1, 2, 3]), "x has 2 and y 3 dimensions.*; give as many"),
        (lambda: lp_distance(X, Y), "do not broadcast; .* use pairwise_distances"),
        (lambda: cosine_distance([math.inf], [1]), "x holds infinite values; leave"),
        (lambda: mahalanobis_distance(X, Y[0], np.eye(3)), r"covariance is .* 4 dimensions; give \[4, 4\]"),
        (lambda: mahalanobis_distance(X, Y[0], -np.eye(4)), "covariance is not positive definite; shrink"),
        (lambda: mahalanobis_distance(X, Y[0], np.ones((4, 4))), "covariance is .*; shrink it"),
        (lambda: mahalanobis_to_samples(X, X[:1]), "samples holds one sample.*; give two or more"),
        (lambda: mahalanobis_to_samples(X, X[0]), "samples must be .N, D.*; reshape"),
        (lambda: estimate_covariance(X, "some"), "shrinkage must be one of"),
        (lambda: pairwise_distances(X, Y[:, :3]), "give .* with the same D"),
        (lambda: pairwise_distances(X[0], Y), "x must be .N, D.*; reshape"),
        (lambda: pairwise_distances(X, Y, "l3"), "metric must be one of"),
        (lambda: pairwise_distances(X, Y, "mahalanobis"), "covariance is missing: .* estimate_covariance"),
        (lambda: pairwise_distances(X, Y, "l2", covariance=COVARIANCE), "covariance is for .*; leave it out"),
        (lambda: pairwise_distances(X, Y, "lp", p=0.3), "p must be 1 or more"),
        (lambda: next(pairwise_blocks(X, Y, batch_size=0)), "batch_size must be at least 1"),
    ],
)
def test_messages_name_the_argument_and_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()
