"""Norms, distances, and the covariance that a Mahalanobis distance needs.

The last axis is that of the vectors; x and y [..., D] broadcast over the others. Everything is float64.
Distances are distances and never their squares unless `squared` says so. All raise ValueError where shapes
do not fit, a value is not finite or a covariance is not positive definite.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Literal, get_args

import numpy as np
from scipy.linalg import solve_triangular
from scipy.spatial.distance import cdist

from dim.measures.arguments import cholesky, real_array, real_matrix

Metric = Literal["l1", "l2", "lp", "cosine", "mahalanobis"]
METRICS = get_args(Metric)
Shrinkage = Literal["none", "auto", "ledoit-wolf"]
SHRINKAGES = get_args(Shrinkage)


def lp_norm(x, p: float = 2.0):
    """‖x‖p = (Σ |x|ᵖ)^(1/p) over the last axis; p = 1, 2, any number above 1, or infinity (the largest |x|).

    Neither overflows nor underflows on the way: the largest |x| is taken out of the sum.
    """
    x = np.abs(real_array(np.atleast_1d(x), "x"))
    p = _exponent(p)
    largest = x.max(axis=-1)
    if np.isinf(p):
        return largest
    scale = np.where(largest > 0, largest, 1)[..., None]
    return largest * ((x / scale) ** p).sum(axis=-1) ** (1 / p)


def lp_distance(x, y, p: float = 2.0):
    """‖x - y‖p over the last axis: p = 1 city block, 2 Euclidean, infinity Chebyshev.

    p is 1 or more; below 1 the triangle inequality fails, and it would be no distance.
    """
    x, y = _vectors(x, y)
    return lp_norm(x - y, p)


def cosine_distance(x, y):
    """1 - cos(x, y) over the last axis, between 0 and 2.

    Computed as ½ ‖x/‖x‖ - y/‖y‖‖², which is exact for nearly parallel vectors as well. The triangle
    inequality does not hold (for the angle it does). A zero vector has no direction; its distance to
    anything is 1.
    """
    x, y = _vectors(x, y)
    distance = lp_norm(directions(x) - directions(y)) ** 2 / 2
    return np.where(x.any(axis=-1) & y.any(axis=-1), distance, 1.0)[()]


def mahalanobis_distance(x, y, covariance, squared: bool = False):
    """√((x - y)ᵀ Σ⁻¹ (x - y)) over the last axis (Mahalanobis 1936).

    The Euclidean distance after a linear map that gives the covariance the form of I, so it depends neither
    on units nor on correlations: any invertible linear map of x, y and Σ leaves it as it is. The distance
    from a point x to a distribution is that to its mean y. By Cholesky; no matrix is inverted.

    The covariance is [D, D], symmetric positive definite. `squared` leaves the root out, as scikit-learn's
    `EmpiricalCovariance.mahalanobis` does and `scipy.spatial.distance.mahalanobis` does not.
    """
    x, y = _vectors(x, y)
    lower = _covariance_for(x.shape[-1], covariance)
    difference = x - y
    whitened = solve_triangular(lower, difference.reshape(-1, len(lower)).T, lower=True)
    distance = lp_norm(whitened.T.reshape(difference.shape))
    return distance**2 if squared else distance


def mahalanobis_to_samples(x, samples, shrinkage: Shrinkage = "auto", squared: bool = False):
    """Distance from points x [..., D] to the mean of samples [N, D], by their covariance.

    `shrinkage` is as in `estimate_covariance`, `squared` as in `mahalanobis_distance`.
    """
    samples = real_matrix(samples, "samples")
    return mahalanobis_distance(x, samples.mean(axis=0), estimate_covariance(samples, shrinkage), squared)


def estimate_covariance(samples, shrinkage: Shrinkage = "auto") -> np.ndarray:
    """Covariance [D, D] of samples [N, D], normalised by N as in scikit-learn.

    Args:
        samples: [N, D], N ≥ 2.
        shrinkage: `none`, the plain covariance, singular where N ≤ D or features repeat each other;
            `ledoit-wolf`, its mean with a multiple of I, weighted for the least expected squared error
            (Ledoit and Wolf 2004, https://doi.org/10.1016/S0047-259X(03)00096-4); `auto`, the latter
            where the former is singular. Shrinking towards I adds the same variance to each feature:
            features of different units want standardising first, or the small ones drown.
    """
    from sklearn.covariance import empirical_covariance, ledoit_wolf

    samples = real_matrix(samples, "samples")
    if len(samples) < 2:
        raise ValueError("samples holds one sample, which has no covariance; give two or more")
    if shrinkage not in SHRINKAGES:
        raise ValueError(f"shrinkage must be one of {SHRINKAGES}, not {shrinkage!r}")
    if shrinkage != "ledoit-wolf":
        covariance = empirical_covariance(samples)
        with suppress(ValueError):  # it is singular
            if shrinkage == "auto":
                cholesky(covariance, "covariance")
            return covariance
    return ledoit_wolf(samples)[0]


def pairwise_distances(x, y, metric: Metric = "l2", p: float = 2.0, covariance=None) -> np.ndarray:
    """Distance of each of x [N, D] to each of y [M, D]: [N, M] float64.

    `p` is that of `lp`, 1 or more or infinity, and the covariance [D, D] that of `mahalanobis`.
    """
    x, to_each = _prepare(x, y, metric, p, covariance)
    return to_each(x)


def pairwise_blocks(
    x, y, metric: Metric = "l2", p: float = 2.0, covariance=None, batch_size: int = 1024
) -> Iterator[tuple[slice, np.ndarray]]:
    """As `pairwise_distances`, a batch of rows at a time: where [N, M] does not fit into memory.

    Yields rows of x, and their distances [batch_size, M]; the last batch may be smaller.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size!r}")
    x, to_each = _prepare(x, y, metric, p, covariance)
    for start in range(0, len(x), batch_size):
        rows = slice(start, min(start + batch_size, len(x)))
        yield rows, to_each(x[rows])


def _prepare(x, y, metric: Metric, p: float, covariance) -> tuple[np.ndarray, Callable]:
    """x, mapped so that a metric of SciPy's is the one asked for, and the distances of its rows to each y."""
    x, y = real_matrix(x, "x"), real_matrix(y, "y", "M")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x is {x.shape} and y is {y.shape}; give [N, D] and [M, D] with the same D")
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {METRICS}, not {metric!r}")
    if covariance is None and metric == "mahalanobis":
        raise ValueError("covariance is missing: mahalanobis needs one, see estimate_covariance")
    if covariance is not None and metric != "mahalanobis":
        raise ValueError(f"covariance is for the metric mahalanobis, not for {metric}; leave it out")
    if metric == "cosine":
        x, y = directions(x), directions(y)
        known = y.any(axis=1)  # the others have no direction

        def to_each(rows):
            return np.where(rows.any(axis=1)[:, None] & known, cdist(rows, y, "sqeuclidean") / 2, 1.0)

        return x, to_each
    if metric == "mahalanobis":
        lower, middle = _covariance_for(x.shape[1], covariance), y.mean(axis=0)
        x, y = (solve_triangular(lower, (z - middle).T, lower=True).T for z in (x, y))
        metric, p = "l2", 2.0
    p = {"l1": 1.0, "l2": 2.0}.get(metric, _exponent(p))
    named = {1.0: "cityblock", 2.0: "euclidean", np.inf: "chebyshev"}
    how = {"metric": named[p]} if p in named else {"metric": "minkowski", "p": p}
    return x, lambda rows: cdist(rows, y, **how)


def _vectors(x, y) -> tuple[np.ndarray, np.ndarray]:
    x, y = real_array(np.atleast_1d(x), "x"), real_array(np.atleast_1d(y), "y")
    if x.shape[-1] != y.shape[-1]:
        raise ValueError(f"x has {x.shape[-1]} and y {y.shape[-1]} dimensions in the last axis; give as many")
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        remedy = "for each against each use pairwise_distances"
        raise ValueError(f"x {x.shape} and y {y.shape} do not broadcast; {remedy}") from None
    return x, y


def directions(x: np.ndarray) -> np.ndarray:
    """x / ‖x‖, and zero where x is zero; scaled twice so that no length is too small to divide by."""
    largest = np.abs(x).max(axis=-1, keepdims=True)
    x = x / np.where(largest > 0, largest, 1)
    length = np.sqrt((x**2).sum(axis=-1, keepdims=True))
    return x / np.where(length > 0, length, 1)


def _exponent(p: float) -> float:
    if not p >= 1:
        raise ValueError(f"p must be 1 or more (infinity included), not {p!r}; below 1 there is no norm")
    return float(p)


def _covariance_for(D: int, covariance) -> np.ndarray:
    lower = cholesky(covariance, "covariance")
    if len(lower) != D:
        raise ValueError(f"covariance is {lower.shape} and the vectors have {D} dimensions; give [{D}, {D}]")
    return lower
