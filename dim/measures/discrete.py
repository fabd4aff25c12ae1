"""Entropy and divergences of discrete distributions.

Every function takes probabilities along one axis, sums over it and returns the rest: a number for a
vector, an array for more. Two arguments broadcast against each other over the other axes. Logarithms
are natural (nats) unless `base` says otherwise. An outcome of probability 0 costs nothing: 0·log 0 = 0.

All raise ValueError where an argument is not a distribution, is not finite, or two do not fit each other.
"""

import math

import numpy as np
from scipy.special import entr, rel_entr, xlogy

from dim.measures.arguments import along_last, distributions, log_base, real_array


def probabilities_from_counts(counts, smoothing: float = 0.0, axis: int = -1) -> np.ndarray:
    """(count + smoothing) / (N + smoothing·K) of K outcomes that were counted N times in all.

    Counts are [..., K] numbers of occurrences (or weights) along `axis`; returns float64 of their shape. A
    smoothing of 0 gives the frequencies, 1 Laplace's rule, ½ Jeffreys' prior; above 0 no divergence from the
    result is infinite, and how large it is depends on the smoothing. Raises ValueError if a count or the
    smoothing is negative, or there is nothing to divide.
    """
    table = along_last(real_array(counts, "counts"), axis, "counts")
    if (table < 0).any():
        raise ValueError(f"counts holds {table.min():g}; a count must be 0 or more")
    if not 0 <= smoothing < math.inf:
        raise ValueError(f"smoothing must be a finite number of 0 or more, not {smoothing!r}")
    table = table + smoothing
    total = table.sum(axis=-1, keepdims=True)
    if (total == 0).any():
        raise ValueError(f"counts sums to 0 along axis {axis}; leave such rows out or set smoothing above 0")
    return np.moveaxis(table / total, -1, axis)


def entropy(p, axis: int = -1, base: float = math.e):
    """H(p) = -Σ p·log p (Shannon 1948): the least average length of a code for outcomes drawn from p.

    Between 0 (one outcome is certain) and log K (all K are alike).
    """
    return entr(distributions(p, "p", axis)).sum(axis=-1) / log_base(base)


def cross_entropy(p, q, axis: int = -1, base: float = math.e):
    """H(p, q) = -Σ p·log q = H(p) + KL(p ‖ q): the average length when outcomes of p are coded for q.

    Infinite where q gives no probability to what p makes possible; see `kl_divergence`.
    """
    p, q = _pair(p, q, axis)
    return 0.0 - xlogy(p, q).sum(axis=-1) / log_base(base)


def kl_divergence(p, q, axis: int = -1, base: float = math.e):
    """KL(p ‖ q) = Σ p·log(p / q) (Kullback and Leibler 1951): what coding p by a code made for q costs extra.

    Never negative, 0 where p = q and only there, not symmetric, no triangle inequality: not a distance.

    Infinite where q = 0 < p for some outcome: a code made for q has no word for it. With q estimated from
    samples this happens as soon as an outcome was not seen. Remedies: take the distribution that is known,
    and positive everywhere, as the reference q; smooth the counts behind q, on which the result then depends
    (`probabilities_from_counts`); or use `jensen_shannon_divergence`, which is always finite.

    Equal outcomes cancel before they are added up, so it is exact for p close to q as well.
    """
    return _kl(*_pair(p, q, axis)) / log_base(base)


def jeffreys_divergence(p, q, axis: int = -1, base: float = math.e):
    """KL(p ‖ q) + KL(q ‖ p) (Jeffreys 1946), the sum and not its half. Symmetric; infinite as KL is."""
    p, q = _pair(p, q, axis)
    return (_kl(p, q) + _kl(q, p)) / log_base(base)


def jensen_shannon_divergence(p, q, axis: int = -1, base: float = math.e):
    """½ KL(p ‖ m) + ½ KL(q ‖ m) with m = (p + q) / 2 (Lin 1991, https://doi.org/10.1109/18.61115).

    Symmetric, finite, from 0 (p = q) to log 2 (no outcome in common). Its square root is a metric;
    `scipy.spatial.distance.jensenshannon` returns that root. The Jensen-Shannon objective's bound is one on
    twice this divergence.
    """
    p, q = _pair(p, q, axis)
    middle = p / 2 + q / 2
    return np.minimum((_kl(p, middle) + _kl(q, middle)) / 2, math.log(2)) / log_base(base)


def _kl(p: np.ndarray, q: np.ndarray):
    """Σ of p·log(p / q) - p + q, no term of which is negative; the last two add up to nothing."""
    return np.maximum(rel_entr(p, q) + (q - p), 0).sum(axis=-1)


def _pair(p, q, axis: int) -> tuple[np.ndarray, np.ndarray]:
    p, q = distributions(p, "p", axis), distributions(q, "q", axis)
    if p.shape[-1] != q.shape[-1]:
        outcomes = f"p has {p.shape[-1]} outcomes along axis {axis} and q has {q.shape[-1]}"
        raise ValueError(f"{outcomes}; give both the same outcomes, with probability 0 where one lacks them")
    try:
        np.broadcast_shapes(p.shape, q.shape)
    except ValueError:
        shapes = f"beside axis {axis} they are {p.shape[:-1]} and {q.shape[:-1]}"
        remedy = "give one of them alone or as many of each"
        raise ValueError(f"p and q do not broadcast: {shapes}; {remedy}") from None
    return p, q
