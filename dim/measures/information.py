"""Mutual information I(X; Y) = KL(p(x, y) ‖ p(x)·p(y)): what knowing one says about the other.

Logarithms are natural (nats) unless `base` says otherwise. All raise ValueError where an argument is not
what it must be. Joint tables are [X, Y] and sum to 1 over both axes; features are [N, D], labels [N] of any
type with two classes or more, and `bins` says into how many bins of equally many samples a column is cut
(None takes its values as they are, which is right for columns with few values alone).

Estimates from samples are biased. Counting in cells reads too high, by `plug_in_bias` to first order: the
more cells the more, so a pair of features is flattered more than a single one. No lower bound from N
samples can be trusted above log N nats, however it is made (McAllester and Stratos 2020,
https://arxiv.org/abs/1811.04251).
"""

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.special import digamma
from scipy.stats.contingency import crosstab

from dim.measures.arguments import distributions, log_base, real_array, real_matrix
from dim.measures.discrete import kl_divergence


class Informative(NamedTuple):
    """What says most about a label: columns of the features, and I(label; those columns)."""

    features: tuple[int, ...]
    information: float


def mutual_information(joint, base: float = math.e) -> float:
    """I(X; Y) of a joint table [X, Y] of probabilities.

    Never negative, 0 if and only if X and Y are independent, at most the entropy of either. Counts go through
    `probabilities_from_counts` of the flattened table first.
    """
    joint = _joint(joint)
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    return float(kl_divergence(joint.ravel(), product.ravel(), base=base))


def pointwise_mutual_information(joint, base: float = math.e) -> np.ndarray:
    """log p(x, y) / p(x)·p(y) of each cell of a joint table, [X, Y] float64.

    Its mean under p(x, y) is the mutual information. -inf where x and y occur but never together, NaN where x
    or y never occurs.
    """
    joint = _joint(joint)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_x, of_y = np.log(joint.sum(axis=1, keepdims=True)), np.log(joint.sum(axis=0, keepdims=True))
        return (np.log(joint) - of_x - of_y) / log_base(base)


def binned_mutual_information(x, y, bins: int = 16, base: float = math.e) -> float:
    """I(X; Y) of paired samples x and y [N], counted in K bins of equally many samples of either variable.

    Bins by rank, so that any increasing map of x or y leaves the result as it is. Equal values share a
    bin, and variables with few values are left with fewer bins.

    Two errors pull in opposite directions. The count of N samples in K × K cells reads too high by about
    (K - 1)² / 2N nats (`plug_in_bias`): 0.11 for the default bins and 1,000 samples, even of independent
    variables. And what happens within a bin is lost: the result cannot exceed log K.
    """
    x, y = real_array(x, "x"), real_array(y, "y")
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x and y must both be [N], not {x.shape} and {y.shape}; give paired samples")
    return _of_codes(_ranks(x, bins), _ranks(y, bins)) / log_base(base)


def plug_in_bias(counts, base: float = math.e) -> float:
    """By how much counting overestimates I(X; Y), to first order: (Kxy - Kx - Ky + 1) / 2N.

    Kxy, Kx and Ky are the occupied cells, rows and columns (Miller 1955; Panzeri and others 2007,
    https://doi.org/10.1152/jn.00559.2007) of counts [X, Y], how often each pair was seen. A correction for N
    much larger than the number of cells.
    """
    counts = real_matrix(counts, "counts", "X", "Y")
    if (counts < 0).any() or not counts.sum() > 0:
        raise ValueError("counts must be 0 or more each and not all 0; give how often each pair was seen")
    cells, rows, columns = (np.count_nonzero(x) for x in (counts, counts.sum(axis=1), counts.sum(axis=0)))
    return float((cells - rows - columns + 1) / (2 * counts.sum()) / log_base(base))


def ksg_mutual_information(x, y, k: int = 3, base: float = math.e) -> float:
    """I(X; Y) of continuous variables from distances to neighbours (Kraskov and others 2004, eq. 8).

        ψ(k) + ψ(N) - mean of ψ(nx + 1) + ψ(ny + 1)                   https://arxiv.org/abs/cond-mat/0305641

    nx and ny count the samples that are nearer in x, and in y, than the k-th neighbour in both, by the
    largest difference of a dimension. Each dimension is scaled to standard deviation 1 first. Of independent
    variables it is 0 on average, and so often negative; large information in many dimensions reads too low.
    Few neighbours k have little bias, many little variance. x and y are [N, Dx] and [N, Dy], or [N]; no more
    than k samples may be equal: those are not continuous.
    """
    from scipy.spatial import KDTree

    x, y = _scaled(x, "x"), _scaled(y, "y")
    N = len(x)
    if len(y) != N:
        raise ValueError(f"x has {N} samples and y has {len(y)}; give pairs")
    if not 0 < k < N:
        raise ValueError(f"k must lie between 1 and {N - 1}, the number of other samples, not {k!r}")
    both = np.concatenate([x, y], axis=1)
    radius = KDTree(both).query(both, [k + 1], p=np.inf)[0][:, 0]
    if (radius == 0).any():
        equal = f"x and y hold more than {k} equal samples, which continuous variables do not"
        raise ValueError(f"{equal}; add a little noise, or count them with mutual_information")
    radius = np.nextafter(radius, 0)  # nearer, not as near

    def around(z):  # each sample among them: nx + 1
        return digamma(KDTree(z).query_ball_point(z, radius, p=np.inf, return_length=True)).mean()

    return float((digamma(k) + digamma(N) - around(x) - around(y)) / log_base(base))


def feature_information(features, labels, bins: int | None = None, base: float = math.e) -> np.ndarray:
    """I(label; feature) of each column: [D] float64."""
    codes, labels = _coded(features, labels, bins)
    return np.array([_of_codes(column, labels) for column in codes.T]) / log_base(base)


def pair_information(features, labels, bins: int | None = None, base: float = math.e) -> np.ndarray:
    """I(label; (feature i, feature j)), of two columns together: [D, D] float64, on the diagonal each alone.

    At least what either says alone, and not the sum: two copies say what one does, while the two inputs of an
    exclusive or say nothing each and everything together. Columns are joined into one variable
    whose values are the pairs of theirs.
    """
    codes, labels = _coded(features, labels, bins)
    D = codes.shape[1]
    table = np.diag([_of_codes(column, labels) for column in codes.T])
    for i, j in combinations(range(D), 2):
        together = codes[:, i] * (codes[:, j].max() + 1) + codes[:, j]
        table[i, j] = table[j, i] = _of_codes(together, labels)
    return table / log_base(base)


def most_informative_feature(features, labels, bins: int | None = None, base: float = math.e) -> Informative:
    """The column with the largest `feature_information`, the first of equal ones."""
    information = feature_information(features, labels, bins, base)
    best = int(np.argmax(information))
    return Informative((best,), float(information[best]))


def most_informative_pair(features, labels, bins: int | None = None, base: float = math.e) -> Informative:
    """The two columns i < j with the largest `pair_information`, the first of equal ones."""
    information = pair_information(features, labels, bins, base)
    if len(information) < 2:
        raise ValueError("features has one column; a pair needs two")
    pairs = list(combinations(range(len(information)), 2))
    best = max(pairs, key=lambda pair: information[pair])
    return Informative(best, float(information[best]))


def _joint(joint) -> np.ndarray:
    table = real_matrix(joint, "joint", "X", "Y")
    return distributions(np.asarray(joint).ravel(), "joint").reshape(table.shape)


def _of_codes(x: np.ndarray, y: np.ndarray) -> float:
    counts = crosstab(x, y).count
    return mutual_information(counts / counts.sum())


def _scaled(x, name: str) -> np.ndarray:
    """x [N, D] or [N] as columns of standard deviation 1."""
    x = real_array(x, name)
    x = x[:, None] if x.ndim == 1 else real_matrix(x, name)
    deviation = x.std(axis=0)
    if (deviation == 0).any():
        raise ValueError(f"{name} has a dimension that never changes; leave it out, it says nothing")
    return x / deviation


def _ranks(x: np.ndarray, bins: int) -> np.ndarray:
    """Which bin each sample [N] falls into, for edges at the samples of rank N/bins, 2N/bins, …"""
    if not (isinstance(bins, int | np.integer) and bins >= 2):
        raise ValueError(f"bins must be a whole number of 2 or more, not {bins!r}")
    N = len(x)
    edges = np.unique(np.sort(x)[np.arange(1, bins) * N // bins])
    return np.searchsorted(edges, x, side="right")


def _coded(features, labels, bins: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Features [N, D] and labels [N] as numbers from 0."""
    features, labels = real_matrix(features, "features"), np.asarray(labels)
    if labels.shape != features.shape[:1]:
        shapes = f"labels is {labels.shape} and features {features.shape}"
        raise ValueError(f"{shapes}; give one label for each row of features")
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError("labels holds NaN; leave out rows without a label first")
    classes, labels = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        single = f"labels holds a single class ({classes[0]}), about which nothing can be said"
        raise ValueError(f"{single}; give more")
    columns = (np.unique(x, return_inverse=True)[1] if bins is None else _ranks(x, bins) for x in features.T)
    return np.stack(list(columns), axis=1), labels
