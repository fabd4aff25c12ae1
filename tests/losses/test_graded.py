"""Losses of graded pairs against slow loops, at chance level, in sign and gradient, at extreme values."""

import math

import numpy as np
import pytest
from keras import ops

from dim.losses.graded import GRADED, cosent, regression

rng = np.random.default_rng(0)
COSINES, GRADES = rng.uniform(-1, 1, 11).astype("float32"), rng.integers(0, 4, 11).astype("float32") / 3


def _slow(cosines, grades, temperature):
    total = 1.0
    for i in range(len(cosines)):
        for j in range(len(cosines)):
            if grades[i] > grades[j]:
                total += math.exp((float(cosines[j]) - float(cosines[i])) / temperature)
    return math.log(total)


@pytest.mark.parametrize("temperature", [0.05, 0.7])
def test_cosent_is_the_sum_over_ordered_pairs(temperature):
    assert float(cosent(COSINES, GRADES, temperature)) == pytest.approx(
        _slow(COSINES, GRADES, temperature), rel=1e-5
    )


def test_cosent_at_collapse_in_right_order_and_without_order():
    ordered = sum(a > b for a in GRADES for b in GRADES)
    assert float(cosent(np.zeros(11, "float32"), GRADES)) == pytest.approx(math.log(1 + ordered), rel=1e-6)
    assert float(cosent(GRADES, GRADES, 1e-3)) == pytest.approx(0, abs=1e-6)
    assert float(cosent(COSINES, np.ones(11, "float32"))) == 0
    assert float(cosent(-GRADES, GRADES, 1e-3)) == pytest.approx(1000, rel=0.01)  # and no overflow


def test_cosent_asks_for_the_order_alone():
    other = np.exp(3 * GRADES)
    assert float(cosent(COSINES, other)) == pytest.approx(float(cosent(COSINES, GRADES)), rel=1e-6)


def test_regression_is_the_mean_square():
    assert float(regression(COSINES, GRADES)) == pytest.approx(
        float(np.mean((COSINES - GRADES) ** 2)), rel=1e-5
    )


@pytest.mark.parametrize("name", GRADED)
def test_the_gradient_raises_what_is_graded_too_low(name, gradient):
    cosines, grades = np.array([0.1, 0.9], "float32"), np.array([1.0, 0.0], "float32")
    found = gradient(lambda x: GRADED[name](x, grades), cosines)
    assert found[0] < 0 < found[1]


@pytest.mark.parametrize("name", GRADED)
def test_losses_are_float32_whatever_they_are_given(name):
    loss = GRADED[name](ops.cast(COSINES, "bfloat16"), ops.cast(GRADES, "bfloat16"))
    assert "float32" in str(loss.dtype)
    assert float(loss) == pytest.approx(float(GRADED[name](COSINES, GRADES)), rel=0.05)
