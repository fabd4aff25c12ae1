"""Normal distributions, where divergence and mutual information have closed forms. In nats.

All raise ValueError where a shape does not fit, a value is not finite or a covariance not positive definite.
"""

import numpy as np
from scipy.linalg import solve_triangular

from dim.measures.arguments import cholesky, real_array


def kl_between_gaussians(mean_p, covariance_p, mean_q, covariance_q) -> float:
    """KL(N(mean_p, covariance_p) ‖ N(mean_q, covariance_q)).

        ½ [ tr(Σq⁻¹ Σp) - D - log det(Σq⁻¹ Σp) + (μp - μq)ᵀ Σq⁻¹ (μp - μq) ]

    With Σ = L·Lᵀ, and λ the squared singular values of Lq⁻¹ Lp, the first three are Σ λ - 1 - log λ, of
    which no term is negative; no matrix is inverted. The error grows with the condition of the
    correlations, and not with the units of the features. Means are [D], covariances [D, D].
    """
    mean_p, lower_p = _gaussian(mean_p, covariance_p, "p")
    mean_q, lower_q = _gaussian(mean_q, covariance_q, "q")
    if mean_p.shape != mean_q.shape:
        dimensions = f"mean_p has {len(mean_p)} dimensions and mean_q has {len(mean_q)}"
        raise ValueError(f"{dimensions}; give both the same")
    ratios = np.linalg.svd(solve_triangular(lower_q, lower_p, lower=True), compute_uv=False) ** 2
    shift = solve_triangular(lower_q, mean_p - mean_q, lower=True)
    return float((_excess(ratios, 1.0).sum() + shift @ shift) / 2)


def kl_between_diagonal_gaussians(mean_p, variance_p, mean_q, variance_q):
    """KL between normal distributions with independent dimensions, summed over the last axis.

        ½ Σ  σp²/σq² - 1 - log(σp²/σq²) + (μp - μq)² / σq²

    All are [..., D], variances above 0, and broadcast. Returns [...] float64.
    """
    given = {"mean_p": mean_p, "variance_p": variance_p, "mean_q": mean_q, "variance_q": variance_q}
    mean_p, variance_p, mean_q, variance_q = _broadcast(**given)
    for variance, name in (variance_p, "variance_p"), (variance_q, "variance_q"):
        if (variance <= 0).any():
            raise ValueError(f"{name} holds {variance.min():g}; a variance must be above 0, add a small one")
    shift = (mean_p - mean_q) / np.sqrt(variance_q)
    return (_excess(variance_p, variance_q) + shift**2).sum(axis=-1) / 2


def kl_to_standard_normal(mean, log_variance):
    """KL(N(mean, diag exp(log_variance)) ‖ N(0, I)), summed over the last axis.

        ½ Σ mean² + exp(log_variance) - 1 - log_variance

    What `dim.losses.priors.kl_to_standard_normal`, the prior of Deep InfoMax, gives dimension by
    dimension, in float32 and with gradients; here in float64 and without Keras. Mean and log-variance are
    [..., D] and broadcast; returns [...].
    """
    mean, log_variance = _broadcast(mean=mean, log_variance=log_variance)
    return (mean**2 + np.expm1(log_variance) - log_variance).sum(axis=-1) / 2


def mutual_information_of_gaussian(covariance, split: int) -> float:
    """I(X; Y) of a joint normal distribution, X its first `split` dimensions and Y the others.

        ½ log( det Σx · det Σy / det Σ )

    For two variables with correlation r it is -½ log(1 - r²). The value is the sum of -½ log(1 - r²) over the
    canonical correlations r, the singular values of Lx⁻¹ Σxy Ly⁻ᵀ, and so never negative. The covariance is
    [D, D], symmetric positive definite.
    """
    lower = cholesky(covariance, "covariance")
    D = len(lower)
    if not 0 < split < D:
        raise ValueError(f"split must lie between 1 and {D - 1}, not {split!r}; both sides need a dimension")
    matrix = np.asarray(covariance, "float64")
    cross = solve_triangular(lower[:split, :split], matrix[:split, split:], lower=True)  # Lx⁻¹ Σxy
    lower_y = cholesky(matrix[split:, split:], "covariance")
    correlations = np.linalg.svd(solve_triangular(lower_y, cross.T, lower=True), compute_uv=False)
    return float(-np.log1p(-(correlations**2)).sum() / 2)


def _gaussian(mean, covariance, which: str) -> tuple[np.ndarray, np.ndarray]:
    mean, lower = real_array(mean, f"mean_{which}"), cholesky(covariance, f"covariance_{which}")
    if mean.shape != lower.shape[:1]:
        shapes = f"mean_{which} has shape {mean.shape} and covariance_{which} {lower.shape}"
        raise ValueError(f"{shapes}; give [D] and [D, D]")
    return mean, lower


def _broadcast(**given) -> tuple[np.ndarray, ...]:
    """Arguments by their names as arrays of one shape."""
    arrays = {name: np.atleast_1d(real_array(x, name)) for name, x in given.items()}
    try:
        return np.broadcast_arrays(*arrays.values())
    except ValueError:
        shapes = ", ".join(f"{name} {np.shape(x)}" for name, x in given.items())
        raise ValueError(f"shapes do not fit: {shapes}; give [..., D] of each, with the same D") from None


def _excess(a, b):
    """a/b - 1 - log(a/b), never negative, and exact for a close to b."""
    relative = (a - b) / b
    near = np.abs(relative) < 0.5
    log = np.where(near, np.log1p(np.where(near, relative, 0)), np.log(a) - np.log(b))
    return relative - log
