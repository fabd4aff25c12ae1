"""How close codes come to the distribution that they were drawn towards."""

from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import expit

from dim.encoders import LOG_VARIANCE
from dim.encoders.embedding import posterior
from dim.evaluation.evaluator import ENCODER, GEOMETRY, Column, Evaluator, Features
from dim.measures.distances import directions

TARGETS = ("kl", "normal", "sigreg", "uniform", "sphere")
KS_OF_PERFECT_FIT = np.sqrt(np.pi / 2) * np.log(2)  # over √N, the mean of Kolmogorov's distribution


class PriorFit(NamedTuple):
    """What is seen of the misfit along single dimensions and between pairs of them, between 0 and 1."""

    ks: float  # greatest difference of distribution functions of codes and prior, mean over the dimensions
    ks_of_perfect_fit: float  # what N draws from the prior itself have on average, 0.869 / √N
    correlation: float  # mean absolute one of two dimensions, 0 for all priors here


def prior_fit(codes: np.ndarray, prior: str) -> PriorFit:
    """Compares codes [N, D], at least two of each, with a prior.

    It is `kl`, `normal` or `sigreg`, N(0, I), `kl` of samples of the posteriors; `uniform` on [0, 1]^D, of
    sigmoid(codes); or `sphere`, uniform on the unit sphere, of codes / ‖codes‖. Two dimensions at a time are
    not a joint distribution: zeros here do not prove a fit. Raises ValueError if the prior is none of these.
    """
    N, D = codes.shape
    codes = np.asarray(codes, "float64")
    if prior in ("kl", "normal", "sigreg"):
        distribution = stats.norm()
    elif prior == "uniform":
        codes, distribution = expit(codes), stats.uniform()
    elif prior == "sphere":
        codes = directions(codes)
        distribution = stats.beta((D - 1) / 2, (D - 1) / 2, loc=-1, scale=2)
    else:
        raise ValueError(f"prior must be one of {TARGETS}, not {prior!r}")
    ks = np.mean([stats.ks_1samp(column, distribution.cdf).statistic for column in codes.T])
    return PriorFit(float(ks), float(KS_OF_PERFECT_FIT / np.sqrt(N)), _correlation(codes))


def _correlation(codes: np.ndarray) -> float:
    """A dimension that never changes correlates with none."""
    unit = directions((codes - codes.mean(axis=0)).T)
    pairs = np.triu_indices(codes.shape[1], k=1)
    return float(np.abs((unit @ unit.T)[pairs]).mean())


def _measured(features: Features) -> dict[str, float]:
    """Of the validation images' codes, or of samples of their posteriors, where there is a prior."""
    prior, codes = features.configuration.prior, features.val
    if prior == "none" or (prior == "kl" and LOG_VARIANCE not in features.encoder.output):
        return {}
    if prior == "kl":
        mean, log_variance = posterior(features.encoder, features.dataset.val.images)
        codes = mean + np.exp(log_variance / 2) * features.rng.normal(size=mean.shape)
    return prior_fit(codes, prior)._asdict()


_COLUMNS = (
    Column("ks", "misfit to the prior"),
    Column("ks_of_perfect_fit", "of a perfect fit"),
    Column("correlation", "correlation"),
)
_ABOUT = """
- misfit: Kolmogorov-Smirnov distance of the codes to the prior, mean over dimensions, beside what as many
  draws from the prior itself have; correlation: mean absolute one between two dimensions.
"""
PRIOR_FIT = Evaluator("prior", GEOMETRY, {ENCODER}, _measured, _COLUMNS, _ABOUT)
