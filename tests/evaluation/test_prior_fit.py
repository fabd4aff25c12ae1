"""The fit to a prior: draws from the prior itself, and codes that are known to miss it."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import norm

from dim.configuration import Configuration
from dim.encoders import LOG_VARIANCE
from dim.evaluation import prior_fit as module
from dim.evaluation.evaluator import Features
from dim.evaluation.prior_fit import PRIOR_FIT, TARGETS, prior_fit

N, D = 4000, 12


def draws(prior, seed=0):
    rng = np.random.default_rng(seed)
    return logit(rng.uniform(size=(N, D))) if prior == "uniform" else rng.normal(size=(N, D))


@pytest.mark.parametrize("prior", TARGETS)
def test_draws_from_the_prior_fit_as_well_as_can_be(prior):
    fit = prior_fit(draws(prior), prior)
    assert fit.ks == pytest.approx(fit.ks_of_perfect_fit, rel=0.25)
    assert fit.correlation == pytest.approx(np.sqrt(2 / np.pi / N), rel=0.25)  # mean |N(0, 1/N)|


@pytest.mark.parametrize("shift", [0.5, 2.0])
def test_a_shift_by_s_deviations_is_the_known_distance_of_two_normals(shift):
    assert prior_fit(draws("kl") + shift, "kl").ks == pytest.approx(2 * norm.cdf(shift / 2) - 1, abs=0.02)


def test_collapsed_codes_are_half_a_distribution_away():
    fit = prior_fit(np.zeros((N, D)), "normal")
    assert fit.ks == pytest.approx(0.5) and fit.correlation == 0


def test_wrong_length_does_not_matter_on_the_sphere_and_a_wrong_direction_does():
    codes = draws("sphere")
    assert prior_fit(9 * codes, "sphere") == pytest.approx(prior_fit(codes, "sphere"))
    assert prior_fit(codes + 1, "sphere").ks > 0.3


def test_dependence_that_no_dimension_shows_alone_is_seen_between_two():
    x = draws("normal")
    x[:, 1:] = x[:, :1]
    fit = prior_fit(x, "normal")
    assert fit.ks < 0.03 and fit.correlation == pytest.approx(1)


def test_a_prior_that_is_none_is_refused():
    with pytest.raises(ValueError, match="prior must be one of"):
        prior_fit(np.zeros((3, 2)), "none")


def test_for_a_prior_by_kl_codes_are_sampled_from_their_posteriors(monkeypatch):
    mean, log_variance = np.ones((400, 3)), np.full((400, 3), math.log(4))
    monkeypatch.setattr(module, "posterior", lambda encoder, images: (mean, log_variance))
    features = Features(
        mean,
        None,
        mean,
        None,
        dataset=SimpleNamespace(val=SimpleNamespace(images=None)),
        configuration=Configuration(),
        encoder=SimpleNamespace(output={LOG_VARIANCE: None}),
    )
    sampled = 1 + 2 * np.random.default_rng(0).normal(size=(400, 3))
    assert PRIOR_FIT.measure(features) == prior_fit(sampled, "kl")._asdict()
