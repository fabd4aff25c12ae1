"""The KL prior against scipy-free numerical integration and its known values."""

import numpy as np
import pytest
from keras import ops

from dim.losses.priors import kl_to_standard_normal


def kl(mean, log_variance):
    return ops.convert_to_numpy(kl_to_standard_normal(np.asarray(mean), np.asarray(log_variance)))


@pytest.mark.parametrize(("mean", "log_variance"), [(0.0, 0.0), (1.5, 0.0), (0.0, 1.0), (-0.7, -2.0)])
def test_closed_form_equals_the_integral(mean, log_variance):
    sigma = np.exp(log_variance / 2)
    x = np.linspace(mean - 12 * sigma, mean + 12 * sigma, 200_001)
    log_q = -0.5 * ((x - mean) / sigma) ** 2 - np.log(sigma * np.sqrt(2 * np.pi))
    log_p = -0.5 * x**2 - np.log(np.sqrt(2 * np.pi))
    integral = np.trapezoid(np.exp(log_q) * (log_q - log_p), x)
    assert kl([[mean]], [[log_variance]])[0, 0] == pytest.approx(integral, abs=1e-5)


def test_it_is_zero_at_the_prior_and_positive_everywhere_else():
    rng = np.random.default_rng(0)
    assert kl(np.zeros((2, 3)), np.zeros((2, 3))).max() == 0
    assert (kl(rng.normal(size=(50, 7)), rng.normal(size=(50, 7))) > 0).all()


def test_it_stays_exact_close_to_the_prior():
    """exp(v) - 1 - v cancels in float32; expm1 does not."""
    assert kl([[0.0]], [[1e-3]])[0, 0] == pytest.approx(0.25e-6, rel=0.1)


def test_shape_and_precision_of_the_result():
    result = kl_to_standard_normal(ops.zeros((4, 3), "bfloat16"), ops.ones((4, 3), "bfloat16"))
    assert result.shape == (4, 3) and "float32" in str(result.dtype)
