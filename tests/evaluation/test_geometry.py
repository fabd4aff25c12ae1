"""Gauges of geometry at their closed forms."""

import math

import numpy as np
import pytest
from scipy.special import hyp0f1

from dim.evaluation.geometry import alignment, direction_spread, rank_me, uniformity


def on_the_sphere(N, D, seed=0):
    x = np.random.default_rng(seed).normal(size=(N, D))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_rank_me_of_equal_singular_values_is_their_number():
    for D in 1, 3, 17:
        q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(40, D)))
        assert rank_me(7 * q) == pytest.approx(D, rel=1e-4)


def test_rank_me_of_known_singular_values_is_the_formula():
    u, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(30, 4)))
    v, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))
    shares = np.array([8, 4, 3, 1]) / 16
    entropy = -sum(share * math.log(share) for share in shares)
    assert rank_me(u * [8, 4, 3, 1] @ v.T) == pytest.approx(math.exp(entropy), rel=1e-4)


def test_rank_me_of_isotropic_codes_is_close_to_their_length_and_of_collapsed_ones_to_one():
    codes = np.random.default_rng(0).normal(size=(20_000, 32))
    assert rank_me(codes) == pytest.approx(32, rel=0.01)
    assert rank_me(codes + 1000) < 2  # it is not centred
    assert rank_me(np.outer(np.arange(1, 50), np.ones(8))) == pytest.approx(1, abs=1e-4)
    assert rank_me(np.zeros((50, 8))) == pytest.approx(1, abs=1e-4)


def test_alignment_is_the_squared_distance_on_the_sphere():
    codes = np.random.default_rng(0).normal(size=(50, 6))
    lengths = np.random.default_rng(1).uniform(0.1, 9, (50, 1))
    assert alignment(codes, lengths * codes) == pytest.approx(0, abs=1e-12)
    assert alignment(codes, -codes) == pytest.approx(4)
    assert alignment([[1, 0], [0, 2]], [[0, 3], [0, 5]]) == pytest.approx((2 + 0) / 2)
    independent = alignment(on_the_sphere(50_000, 8), on_the_sphere(50_000, 8, seed=1))
    assert independent == pytest.approx(2, abs=0.02)


@pytest.mark.parametrize("D", [2, 3, 16, 128])
def test_uniformity_of_the_uniform_distribution_is_its_closed_form(D):
    expected = -4 + math.log(hyp0f1(D / 2, 4))
    assert uniformity(on_the_sphere(3000, D)) == pytest.approx(expected, rel=0.01)


def test_uniformity_equals_a_loop_over_pairs():
    codes = np.random.default_rng(0).normal(size=(13, 4))
    unit = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    kernel = [math.exp(-2 * ((unit[i] - unit[j]) ** 2).sum()) for i in range(13) for j in range(i)]
    assert uniformity(codes) == pytest.approx(math.log(np.mean(kernel)))


def test_uniformity_of_collapsed_codes_is_zero_and_never_more():
    assert uniformity(np.ones((50, 8))) == pytest.approx(0, abs=1e-12)
    assert uniformity(np.zeros((50, 8))) == 0
    assert uniformity([[1, 0], [-1, 0]]) == pytest.approx(-8)


def test_isotropic_codes_have_spread_one():
    codes = np.random.default_rng(0).normal(size=(20_000, 32))
    assert direction_spread(codes) == pytest.approx(1, abs=0.02)


def test_codes_in_one_direction_have_spread_zero_whatever_their_length():
    lengths = np.random.default_rng(0).uniform(1, 100, (50, 1))
    assert direction_spread(lengths * np.ones((50, 8))) == pytest.approx(0, abs=1e-6)
    assert direction_spread(np.zeros((5, 3))) == 0
