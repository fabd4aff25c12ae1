"""What the measures ask of their arguments. All raise ValueErrors that name the argument and the remedy."""

import math

import numpy as np


def real_array(x, name: str) -> np.ndarray:
    """x as float64; not empty, and all of it finite real numbers."""
    try:
        array = np.asarray(x)
        if array.dtype.kind != "c":
            array = array.astype("float64")
    except (TypeError, ValueError):
        raise ValueError(f"{name} is not an array of numbers; give one of a regular shape") from None
    if array.dtype.kind == "c":
        raise ValueError(f"{name} is complex; give real numbers")
    if array.size == 0:
        raise ValueError(f"{name} is empty (shape {array.shape}); give at least one number")
    if np.isnan(array).any():
        raise ValueError(f"{name} holds NaN; leave out or fill in what is missing first")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds infinite values; leave them out or clip them first")
    return array


def real_matrix(x, name: str, rows: str = "N", columns: str = "D") -> np.ndarray:
    """As `real_array`, of shape [N, D]."""
    array = real_array(x, name)
    if array.ndim != 2:
        remedy = "reshape one column to (-1, 1), one row to (1, -1)"
        raise ValueError(f"{name} must be [{rows}, {columns}], not of shape {array.shape}; {remedy}")
    return array


def along_last(x: np.ndarray, axis: int, name: str) -> np.ndarray:
    """x with `axis` moved to the end."""
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{name} of shape {x.shape} has no axis {axis}; give one of its own")
    return np.moveaxis(x, axis, -1)


def distributions(p, name: str, axis: int = -1) -> np.ndarray:
    """As `real_array`, with `axis` last, where it is not negative and sums to 1.

    A sum that differs from 1 by no more than the square root of the rounding step of p's type (1.5e-8 in
    float64, 3.5e-4 in float32) is taken for rounding and divided out.
    """
    array = along_last(real_array(p, name), axis, name)
    if (array < 0).any():
        raise ValueError(f"{name} holds a negative probability ({array.min():g}); it must be 0 or more")
    total = array.sum(axis=-1, keepdims=True)
    kind = np.asarray(p).dtype
    tolerance = math.sqrt(np.finfo(kind if kind.kind == "f" else "float64").eps)
    worst = total.flat[np.argmax(np.abs(total - 1))]
    if abs(worst - 1) > tolerance:
        remedy = "divide it by its sum, or use probabilities_from_counts"
        raise ValueError(f"{name} sums to {worst:.9g} along axis {axis}, not to 1; {remedy}")
    return array / total


def log_base(base: float) -> float:
    """The natural logarithm of a base: what nats are divided by."""
    if not (isinstance(base, int | float | np.number) and 1 < base < math.inf):
        raise ValueError(f"base must be a number above 1 (e for nats, 2 for bits), not {base!r}")
    return math.log(base)


def cholesky(covariance, name: str) -> np.ndarray:
    """The lower triangle L of L·Lᵀ = covariance [D, D], symmetric and positive definite.

    A matrix counts as singular where a feature keeps less than 10·D rounding steps of its variance once the
    features before it are known; the features' units do not matter.
    """
    matrix = real_matrix(covariance, name, "D", "D")
    D = len(matrix)
    if matrix.shape != (D, D):
        raise ValueError(f"{name} must be square [D, D], not of shape {matrix.shape}; give a covariance")
    deviations = np.sqrt(np.abs(np.diag(matrix)))
    if (np.abs(matrix - matrix.T) > 1e-8 * np.outer(deviations, deviations)).any():
        raise ValueError(f"{name} is not symmetric; give a covariance, or its mean with its transpose")
    remedy = 'shrink it, as estimate_covariance(samples, "ledoit-wolf") does, or drop redundant features'
    try:
        lower = np.linalg.cholesky((matrix + matrix.T) / 2)
    except np.linalg.LinAlgError:
        raise ValueError(f"{name} is not positive definite; {remedy}") from None
    if (np.diag(lower) ** 2 < 10 * D * np.finfo("float64").eps * np.diag(matrix)).any():
        raise ValueError(f"{name} is singular to rounding; {remedy}")
    return lower
