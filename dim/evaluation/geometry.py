"""Gauges of how codes fill their space, none of which needs labels."""

import numpy as np
from scipy.linalg import svdvals
from scipy.spatial.distance import pdist
from scipy.special import logsumexp


def rank_me(codes: np.ndarray) -> float:
    """How many directions the codes use, smoothly counted.

        exp(-Σ p ln p)   with  p = σ / Σσ + 1e-7

    and σ the singular values of the codes as they are, not centred (Garrido et al. 2023, eq. 1-2,
    https://arxiv.org/abs/2210.02885). 1 if all codes lie on one line through 0, D if they spread evenly.

    Args:
        codes: [N, D], N at least D; the paper takes N = 25,600.
    """
    return smooth_rank(singular_values(codes))


def smooth_rank(values: np.ndarray) -> float:
    """The same from singular values, [K]."""
    p = values / max(values.sum(), np.finfo("float64").tiny) + 1e-7
    return float(np.exp(-np.sum(p * np.log(p))))


def singular_values(codes: np.ndarray) -> np.ndarray:
    """Of the codes as they are, greatest first: [min(N, D)] float64."""
    return svdvals(np.asarray(codes, "float64"))


def alignment(codes: np.ndarray, others: np.ndarray) -> float:
    """How far the two codes of a pair are apart: mean ‖f(x) - f(y)‖² of L2-normalised codes.

    Wang and Isola 2020, eq. 2 with α = 2 (https://arxiv.org/abs/2005.10242): 0 at best, 2 for pairs
    at right angles.

    Args:
        codes, others: [N, D]; row i of both is a pair, such as two views of one image.
    """
    difference = _unit(codes) - _unit(others)
    return float(np.mean(np.sum(difference**2, axis=1)))


def uniformity(codes: np.ndarray) -> float:
    """How evenly L2-normalised codes cover the sphere: ln mean exp(-2 ‖f(x) - f(y)‖²) over all pairs.

    Wang and Isola 2020, eq. 3 with t = 2, over the N(N - 1)/2 pairs of different rows. 0 if all codes
    are one, -4 + ln ₀F₁(D/2; 4) if they are spread evenly, which is close to -4 for long codes.

    Args:
        codes: [N, D], at least two. Time and memory grow with N².
    """
    exponents = -2 * pdist(_unit(codes), "sqeuclidean")
    return float(logsumexp(exponents) - np.log(len(exponents)))


def _unit(codes: np.ndarray) -> np.ndarray:
    codes = np.asarray(codes, "float64")
    length = np.linalg.norm(codes, axis=1, keepdims=True)
    return codes / np.where(length > 0, length, 1)


def direction_spread(codes: np.ndarray) -> float:
    """√D times the mean standard deviation of the L2-normalised codes' components.

    About 1 when directions are spread evenly, 0 when all codes point the same way. The loss can fall
    while this falls too, which is what a gauge is for.

    Args:
        codes: [N, D] float.
    """
    length = np.linalg.norm(codes, axis=1, keepdims=True)
    directions = codes / np.where(length > 0, length, 1)
    return float(directions.std(axis=0).mean() * np.sqrt(codes.shape[1]))
