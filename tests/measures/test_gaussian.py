"""Gaussians: one-dimensional formulas, sampling, exact fractions at condition 1e10, the prior, properties."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from scipy.stats import multivariate_normal

from dim.losses import priors
from dim.measures import (
    kl_between_diagonal_gaussians,
    kl_between_gaussians,
    kl_divergence,
    kl_to_standard_normal,
    mutual_information_of_gaussian,
)

EPSILON = np.finfo("float64").eps


def gaussian(D, seed=0):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(D, D + 3))
    return rng.normal(size=D), factor @ factor.T / D


def rotated(D, condition, seed=0):
    """A covariance whose eigenvalues fall from 1 to 1 / condition, in random directions."""
    directions = np.linalg.qr(np.random.default_rng(seed).normal(size=(D, D)))[0]
    covariance = (directions * np.geomspace(1, 1 / condition, D)) @ directions.T
    return (covariance + covariance.T) / 2


def kl_by_textbook(mean_p, covariance_p, mean_q, covariance_q):
    inverse, shift = np.linalg.inv(covariance_q), mean_q - mean_p
    log_ratio = np.linalg.slogdet(covariance_q)[1] - np.linalg.slogdet(covariance_p)[1]
    return (np.trace(inverse @ covariance_p) + shift @ inverse @ shift - len(shift) + log_ratio) / 2


def eliminate(matrix, *right):
    """Exact solutions of matrix·z = r for each right side, and the determinant, in fractions."""
    D = len(matrix)
    rows = [[Fraction(x) for x in (*matrix[i], *(r[i] for r in right))] for i in range(D)]
    determinant = Fraction(1)
    for i in range(D):
        determinant *= rows[i][i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for j in set(range(D)) - {i}:
            rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [[row[D + k] for row in rows] for k in range(len(right))], determinant


def kl_by_fractions(mean_p, covariance_p, mean_q, covariance_q):
    D = len(mean_p)
    shift = [Fraction(a) - Fraction(b) for a, b in zip(mean_p, mean_q, strict=True)]
    (*columns, solved_shift), determinant_q = eliminate(covariance_q, *covariance_p.T, shift)
    ratio = eliminate(covariance_p)[1] / determinant_q
    rest = (
        sum(columns[k][k] for k in range(D))
        - D
        + sum(a * b for a, b in zip(shift, solved_shift, strict=True))
    )
    return (float(rest) - math.log(ratio.numerator) + math.log(ratio.denominator)) / 2


@pytest.mark.parametrize("D", [1, 2, 5, 30])
def test_equals_the_textbook_formula(D):
    p, q = gaussian(D, 0), gaussian(D, 1)
    assert kl_between_gaussians(*p, *q) == pytest.approx(kl_by_textbook(*p, *q), rel=1e-9)


def test_equals_exact_fractions():
    p, q = gaussian(4, 0), gaussian(4, 1)
    assert kl_between_gaussians(*p, *q) == pytest.approx(kl_by_fractions(*p, *q), rel=1e-12)


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 2.0), (1.5, 1.0), (-3.0, 0.1), (0.0, 1e-8)])
def test_in_one_dimension(mean, deviation):
    expected = (deviation**2 + mean**2 - 1) / 2 - math.log(deviation)
    found = kl_between_gaussians([mean], [[deviation**2]], [0], [[1]])
    assert found == pytest.approx(expected, rel=1e-12)
    assert kl_to_standard_normal([mean], [2 * math.log(deviation)]) == pytest.approx(expected, rel=1e-12)


def test_equals_the_average_over_samples():
    p, q = gaussian(3, 0), gaussian(3, 1)
    x = np.random.default_rng(0).multivariate_normal(*p, size=200_000)
    ratios = multivariate_normal(*p).logpdf(x) - multivariate_normal(*q).logpdf(x)
    error = ratios.std() / math.sqrt(len(x))
    assert kl_between_gaussians(*p, *q) == pytest.approx(ratios.mean(), abs=4 * error)
    assert error < 0.02 * ratios.mean()


def test_equals_the_discrete_divergence_on_a_fine_grid():
    x = np.linspace(-12, 12, 4001)
    p, q = (np.exp(-((x - m) ** 2) / (2 * v)) for m, v in ((0.3, 1.0), (-0.5, 2.0)))
    expected = kl_divergence(p / p.sum(), q / q.sum())
    assert kl_between_gaussians([0.3], [[1]], [-0.5], [[2]]) == pytest.approx(expected, rel=1e-9)


def test_the_three_forms_agree_where_they_meet():
    rng = np.random.default_rng(0)
    means, logs = rng.normal(size=(2, 6, 4)), rng.normal(size=(2, 6, 4))
    diagonal = kl_between_diagonal_gaussians(means[0], np.exp(logs[0]), means[1], np.exp(logs[1]))
    full = [
        kl_between_gaussians(
            means[0, i], np.diag(np.exp(logs[0, i])), means[1, i], np.diag(np.exp(logs[1, i]))
        )
        for i in range(6)
    ]
    np.testing.assert_allclose(diagonal, full, rtol=1e-12)
    standard = kl_between_diagonal_gaussians(means[0], np.exp(logs[0]), 0, 1)
    np.testing.assert_allclose(kl_to_standard_normal(means[0], logs[0]), standard, rtol=1e-12)


def test_it_is_what_the_prior_of_deep_infomax_computes():
    rng = np.random.default_rng(0)
    mean, log_variance = rng.normal(size=(2, 50, 16))
    prior = ops.convert_to_numpy(priors.kl_to_standard_normal(mean, log_variance))
    np.testing.assert_allclose(kl_to_standard_normal(mean, log_variance), prior.sum(axis=-1), rtol=1e-5)
    near = 1e-3 * log_variance
    prior = ops.convert_to_numpy(priors.kl_to_standard_normal(near, near))
    np.testing.assert_allclose(kl_to_standard_normal(near, near), prior.sum(axis=-1), rtol=1e-3)


@pytest.mark.parametrize("units", [1e-5, 1.0, 1e5])
def test_units_cost_no_digits(units):
    """Condition 1e10 and more that comes of units alone."""
    scale = np.array([1.0, units, 1 / units, 1.0])
    p, q = gaussian(4, 0), gaussian(4, 1)
    scaled = [x for m, c in (p, q) for x in (m * scale, c * np.outer(scale, scale))]
    assert kl_between_gaussians(*scaled) == pytest.approx(kl_by_fractions(*scaled), rel=1e-12)
    information = mutual_information_of_gaussian(scaled[1], 2)
    assert information == pytest.approx(mutual_information_of_gaussian(p[1], 2), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_correlations_of_condition_1e10_cost_the_digits_that_they_must(seed):
    D, condition = 4, 1e10
    p, q = (np.zeros(D), rotated(D, condition, seed)), (np.full(D, 1e-6), rotated(D, condition, seed + 9))
    found = kl_between_gaussians(*p, *q)
    assert found == pytest.approx(kl_by_fractions(*p, *q), rel=D * condition * EPSILON)
    assert kl_between_gaussians(*p, *p) < D * condition * EPSILON


def test_extreme_variances_of_the_diagonal_form():
    found = kl_between_diagonal_gaussians([0.0], [1e-300], [0.0], [1.0])
    assert found == pytest.approx((300 * math.log(10) - 1) / 2, rel=1e-12)
    assert kl_between_diagonal_gaussians([0.0], [1 + 1e-7], [0.0], [1.0]) == pytest.approx(0.25e-14, rel=1e-6)


sizes, seeds = st.integers(1, 6), st.integers(0, 10**6)


@given(sizes, seeds)
def test_never_negative_and_zero_only_for_equals(D, seed):
    p, q = gaussian(D, seed), gaussian(D, seed + 1)
    assert kl_between_gaussians(*p, *q) > 0
    assert 0 <= kl_between_gaussians(*p, *p) < 1e-25
    assert kl_to_standard_normal(np.zeros(D), np.zeros(D)) == 0
    assert kl_to_standard_normal(p[0], q[0]) > 0


@given(sizes, seeds)
def test_an_invertible_linear_map_of_both_changes_nothing(D, seed):
    p, q = gaussian(D, seed), gaussian(D, seed + 1)
    rng = np.random.default_rng(seed + 2)
    a, b = rng.normal(size=(D, D)) + 4 * np.eye(D), rng.normal(size=D)
    mapped = [x for m, c in (p, q) for x in (a @ m + b, a @ c @ a.T)]
    mapped[1], mapped[3] = (mapped[1] + mapped[1].T) / 2, (mapped[3] + mapped[3].T) / 2
    assert kl_between_gaussians(*mapped) == pytest.approx(kl_between_gaussians(*p, *q), rel=1e-8)


@pytest.mark.parametrize("r", [0.0, 1e-6, 0.5, -0.9, 1 - 1e-9])
def test_information_of_two_variables(r):
    expected = -math.log1p(-(r**2)) / 2
    found = mutual_information_of_gaussian([[1, r], [r, 1]], 1)
    assert found == pytest.approx(expected, rel=1e-7 if r > 0.99 else 1e-12)


@given(st.integers(2, 6), seeds)
def test_information_is_the_divergence_from_independence_and_survives_maps_of_each_side(D, seed):
    split, covariance = 1 + seed % (D - 1), gaussian(D, seed)[1]
    apart = covariance.copy()
    apart[:split, split:] = apart[split:, :split] = 0
    information = mutual_information_of_gaussian(covariance, split)
    assert information >= 0
    zero = np.zeros(D)
    assert information == pytest.approx(kl_between_gaussians(zero, covariance, zero, apart), rel=1e-8)
    rng = np.random.default_rng(seed)
    a = np.zeros((D, D))
    a[:split, :split] = rng.normal(size=(split, split)) + 4 * np.eye(split)
    a[split:, split:] = rng.normal(size=(D - split, D - split)) + 4 * np.eye(D - split)
    mapped = a @ covariance @ a.T
    assert mutual_information_of_gaussian((mapped + mapped.T) / 2, split) == pytest.approx(
        information, rel=1e-8
    )


SINGULAR = [[1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kl_between_gaussians([0, 0], SINGULAR, [0, 0], np.eye(2)), "covariance_p is .*ledoit-wolf"),
        (lambda: kl_between_gaussians([0, 0], np.eye(2), [0, 0], SINGULAR), "covariance_q is .*ledoit-wolf"),
        (
            lambda: kl_between_gaussians([0], [[-1]], [0], [[1]]),
            "covariance_p is not positive definite; shrink",
        ),
        (
            lambda: kl_between_gaussians([0], [[0]], [0], [[1]]),
            "covariance_p is not positive definite; shrink",
        ),
        (
            lambda: kl_between_gaussians([0, 0], [[1, 0.5], [0, 1]], [0, 0], np.eye(2)),
            "p is not symmetric; give",
        ),
        (lambda: kl_between_gaussians([0, 0], np.eye(3), [0, 0], np.eye(2)), "mean_p has shape .* give"),
        (lambda: kl_between_gaussians([0], [[1]], [0, 0], np.eye(2)), "mean_p has 1 .* mean_q has 2; give"),
        (lambda: kl_between_gaussians([0], [1], [0], [[1]]), "covariance_p must be .*; reshape"),
        (lambda: kl_between_gaussians([0], [[1, 2]], [0], [[1]]), "covariance_p must be square"),
        (lambda: kl_between_gaussians([math.nan], [[1]], [0], [[1]]), "mean_p holds NaN; leave out"),
        (lambda: kl_between_diagonal_gaussians(0, 0, 0, 1), "variance_p holds 0; a variance must be above 0"),
        (
            lambda: kl_between_diagonal_gaussians(0, 1, 0, -2),
            "variance_q holds -2; a variance must be above 0",
        ),
        (lambda: kl_to_standard_normal(np.zeros(3), np.zeros(2)), "mean .3,., log_variance .2,.; give"),
        (lambda: kl_to_standard_normal([math.inf], [0]), "mean holds infinite values"),
        (lambda: mutual_information_of_gaussian(np.eye(3), 3), "split must lie between 1 and 2, not 3"),
        (lambda: mutual_information_of_gaussian(SINGULAR, 1), "covariance is .*ledoit-wolf"),
    ],
)
def test_messages_name_the_argument_and_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()
