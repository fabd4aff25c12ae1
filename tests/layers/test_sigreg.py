"""Epps and Pulley by the definition; SIGReg sees along all directions what one coordinate does not."""

import numpy as np
import pytest
from keras import ops

from dim.layers.sigreg import SIGReg, epps_pulley


def value(layer, codes):
    return float(ops.convert_to_numpy(layer(ops.convert_to_tensor(codes, "float32"))))


def normal(N, D, seed=0):
    return np.random.default_rng(seed).normal(size=(N, D))


def test_normal_codes_cost_about_one_whatever_their_number_and_length():
    for N, D in (50, 3), (400, 60):
        found = np.mean([value(SIGReg(seed=seed), normal(N, D, seed)) for seed in range(20)])
        assert found == pytest.approx(1.05, abs=0.2), (N, D)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_directions_have_unit_length(scale):
    """Of codes that are normal with another scale, any direction costs as the first coordinate alone does."""
    codes = scale * normal(2000, 7)
    one = SIGReg(64)(ops.convert_to_tensor(codes[:, :1], "float32"))
    assert value(SIGReg(64), codes) == pytest.approx(float(ops.convert_to_numpy(one)), rel=0.15)


def test_codes_whose_coordinates_are_normal_but_alike_are_told_from_normal_ones():
    same = np.repeat(normal(300, 1), 8, axis=1)
    assert value(SIGReg(), same) > 5 * value(SIGReg(), normal(300, 8))


def test_every_call_draws_other_directions_and_a_seed_repeats_them():
    codes = normal(40, 6) ** 3
    first, again, other = (SIGReg(4, seed=seed) for seed in (3, 3, 40))
    values = [value(layer, codes) for layer in (first, again, other, first)]
    assert values[0] == pytest.approx(values[1], rel=1e-6)
    assert len({round(v, 3) for v in (values[0], values[2], values[3])}) == 3


def statistic(x):
    return ops.convert_to_numpy(epps_pulley(ops.convert_to_tensor(np.asarray(x), "float32")))


def by_the_definition(x):
    """Of one column, in float64, knot by knot and draw by draw."""
    T, knots = 0.0, [-3 + 6 * k / 16 for k in range(17)]
    for k, t in enumerate(knots):
        mean = sum(np.exp(1j * t * number) for number in x) / len(x)
        weight = 6 / 16 * (0.5 if k in (0, 16) else 1)
        T += len(x) * weight * abs(mean - np.exp(-t * t / 2)) ** 2 * np.exp(-t * t / 2)
    return T


def test_epps_and_pulley_equals_the_definition_of_each_column():
    x = np.random.default_rng(0).normal(0.3, 1.4, (7, 5))
    np.testing.assert_allclose(statistic(x), [by_the_definition(column) for column in x.T], rtol=1e-5)


def test_of_normal_draws_it_has_the_mean_that_it_has_for_any_number_of_them():
    """Draws of N(0, 1) miss its characteristic function by (1 - exp(-t²)) / N, squared, on average."""
    t = np.linspace(-3, 3, 10_001)
    expected = np.trapezoid((1 - np.exp(-(t**2))) * np.exp(-(t**2) / 2), t)
    for N in 10, 300:
        found = statistic(np.random.default_rng(N).normal(size=(N, 4000))).mean()
        assert found == pytest.approx(expected, rel=0.05), N


@pytest.mark.parametrize(
    "change",
    [lambda x: x + 0.5, lambda x: 1.5 * x, lambda x: 0.5 * x, lambda x: 0 * x, lambda x: np.sign(x)],
    ids=["shifted", "wide", "narrow", "collapsed", "two points"],
)
def test_what_is_not_standard_normal_costs_more_the_more_is_seen_of_it(change):
    few, many = (statistic(change(np.random.default_rng(0).normal(size=(N, 50)))).mean() for N in (100, 1000))
    assert few > 3 and many == pytest.approx(10 * few, rel=0.5)


def test_a_step_against_its_gradient_makes_numbers_more_normal(gradient):
    x = np.random.default_rng(0).normal(1.0, 0.2, (64, 3)).astype("float32")
    before = statistic(x).sum()
    for _ in range(200):
        x = x - 0.1 * gradient(lambda x: ops.sum(epps_pulley(x)), x)
    assert statistic(x).sum() < before / 10 and abs(x.mean()) < 0.2 and 0.8 < x.std() < 1.2


def test_it_and_its_gradient_are_finite_at_any_distance(gradient):
    x = np.array([[-1e6, 0.0], [1e4, 0.0], [30.0, 0.0]], "float32")
    assert (
        np.isfinite(statistic(x)).all() and np.isfinite(gradient(lambda x: ops.sum(epps_pulley(x)), x)).all()
    )
    low = epps_pulley(ops.cast(ops.convert_to_tensor(x), "bfloat16"))
    assert "float32" in str(low.dtype) and np.isfinite(ops.convert_to_numpy(low)).all()
