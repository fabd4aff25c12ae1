"""Exact nearest neighbours of any vectors, by FAISS; and what an engine finds of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import faiss
import numpy as np

from dim.measures.distances import directions
from dim.search.engine import Engine, Metric, Neighbours

METRICS = "l2", "cosine"  # the two that every picture and table shows
_BLOCK = 2**23  # floats of the bank that are searched at once: 32 MB
_AT_ONCE = 2**15  # floats of candidates that are compared at once: 128 kB, which stay in the cache
_SAMPLE = 20_000  # rows that a covariance is estimated from
_NEAR = 1e-2  # of a query's own square: squared distances below it lose digits where the square is expanded


def nearest(
    queries: np.ndarray,
    bank: np.ndarray,
    k: int,
    metric: Metric = "l2",
    own: np.ndarray | None = None,
    among: np.ndarray | None = None,
) -> Neighbours:
    """Finds the k nearest rows of the bank for each query.

    L2 is taken of the vectors as they are, never normalised (normalised, L2 and cosine rank alike).
    The bank is read block by block, so a memory-mapped one of any length and type will do.

    Args:
        queries, bank: [Q, D] and [N, D].
        k: neighbours a query.
        metric: `l2`, `cosine`, `l1` or `mahalanobis`; a zero vector has cosine 0 with everything.
        own: [Q] int; the row of the bank that is the query itself and must not be found. By index:
            a duplicate of the query in another row counts as a neighbour.
        among: [M] int; the rows of the bank that may be found. The distance stays that of the whole bank.

    Raises ValueError if the shapes do not fit, a value is not finite, or the bank holds fewer than k others.
    """
    if queries.ndim != 2 or bank.ndim != 2 or queries.shape[1] != bank.shape[1]:
        raise ValueError(f"queries and bank must be [Q, D] and [N, D], not {queries.shape} and {bank.shape}")
    if metric not in get_args(Metric):
        raise ValueError(f"metric must be one of {get_args(Metric)}, not {metric!r}")
    whiten = whitening(bank) if metric == "mahalanobis" else None
    bank = bank if among is None else _Rows(bank, among)
    wanted = k if own is None else k + 1
    if not 0 < wanted <= len(bank):
        raise ValueError(f"{k} neighbours were asked for, the bank holds {len(bank) - wanted + k} others")
    compared = comparable(queries, metric, whiten)
    # Distances do not change where all is moved, and near 0 they are more exact.
    centre = compared.mean(axis=0) if len(queries) and metric != "l1" else np.float32(0)
    compared = compared - centre

    def search(some) -> Neighbours:
        step, how = max(1, _BLOCK // bank.shape[1]), faiss.METRIC_L1 if metric == "l1" else faiss.METRIC_L2
        found = []
        for start in range(0, len(bank), step):
            rows = comparable(bank[start : start + step], metric, whiten)
            asked, moved = compared[some], rows - centre
            if metric == "cosine" and not (there := rows.any(axis=1)).all():  # zero is at right angles to all
                asked, moved = np.pad(asked, ((0, 0), (0, 1))), np.c_[moved, ~there]
            distances, indices = faiss.knn(asked, moved, min(wanted, len(rows)), how)
            found.append(Neighbours(indices + start, distances))
            found = [_nearest_first(*map(np.hstack, zip(*found, strict=True)), wanted)]
        return ranked(queries[some], bank, found[0].indices, metric, whiten)

    found = search(slice(None))
    if metric != "l1":
        near = squared(found.distances[:, -1], metric) < _NEAR * np.einsum("qd,qd->q", compared, compared)
        if near.any():
            with by_differences():
                better = search(near)
            for part, exact in zip(found, better, strict=True):
                part[near] = exact
    if among is not None:
        found = found._replace(indices=among[found.indices])
    return found if own is None else without_own(found, np.asarray(own))


class _Rows:
    """Some rows of a bank as an array that is never held in memory as a whole."""

    def __init__(self, bank: np.ndarray, rows: np.ndarray):
        self.bank, self.rows, self.shape = bank, rows, (len(rows), bank.shape[1])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, some) -> np.ndarray:
        return self.bank[self.rows[some]]


def recall(engine: Engine, k: int = 10, queries: int = 1000, truth: np.ndarray | None = None) -> float:
    """Share of the k nearest of random codes that an engine finds, the code itself left out.

    Counted by distance, so that it does not matter which of several duplicates were found. The codes are
    those of the engine, or by `truth` [N, D] what these were before they were rounded.
    """
    codes = engine.codes if truth is None else truth
    rows = np.random.default_rng(0).permutation(len(codes))[:queries]
    k = min(k, len(codes) - 1)
    if k < 1:
        return 1.0
    exact = nearest(codes[rows], codes, k, engine.metric, rows).distances
    found = engine.search(codes[rows], k, rows)
    if truth is not None:
        found = ranked(codes[rows], codes, found.indices, engine.metric)
    return float(np.mean(found.distances <= exact[:, -1:] * (1 + 1e-6) + 1e-9))


def comparable(x: np.ndarray, metric: Metric, whiten: np.ndarray | None = None) -> np.ndarray:
    """Vectors as the metric compares them, [N, D] float32; ValueError if a value is not finite.

    For `cosine` they have unit length, for `mahalanobis` they went through the matrix `whiten` [D, D].
    """
    x = np.ascontiguousarray(x, dtype="float32")
    if not np.isfinite(x).all():
        raise ValueError("there are vectors with values that are not finite")
    if metric == "cosine":
        return directions(x)
    return x @ whiten if metric == "mahalanobis" else x


def whitening(bank: np.ndarray) -> np.ndarray:
    """W, with which the Mahalanobis distance of x and y is the length of (x - y) W: [D, D] float32.

    W Wᵀ is the inverse covariance of the bank [N, D], by the estimate of Ledoit and Wolf (2004), which has
    an inverse even where there are fewer rows than dimensions; from at most 20,000 rows. Raises ValueError if
    all rows are the same, or a value is not finite.
    """
    from sklearn.covariance import ledoit_wolf

    rows = np.random.default_rng(0).permutation(len(bank))[:_SAMPLE]
    covariance, _ = ledoit_wolf(comparable(bank[np.sort(rows)], "l2").astype("float64"))
    variance, axes = np.linalg.eigh(covariance)
    if not variance.max() > 0:
        raise ValueError("the vectors do not vary, so have no Mahalanobis distance; take another metric")
    floor = variance.max() * np.finfo("float32").eps
    return (axes / np.sqrt(np.maximum(variance, floor))).astype("float32")


def ranked(
    queries: np.ndarray, bank: np.ndarray, candidates: np.ndarray, metric: Metric, whiten=None
) -> Neighbours:
    """Candidates, from another search perhaps, with their exact distances and nearest first.

    They are rows [Q, k] of the bank [N, D]; those below 0 are none, and end up at distance infinity.
    """
    queries = comparable(queries, metric, whiten)
    distances = np.empty(candidates.shape, "float32")
    step = max(1, _AT_ONCE // bank.shape[1])
    for start in range(0, candidates.shape[1], step):
        some = slice(start, start + step)
        for query, rows, out in zip(queries, candidates[:, some], distances[:, some], strict=True):
            there = comparable(bank[rows], metric, whiten)
            out[:] = np.where(rows < 0, np.inf, distances_to(query, there, metric))
    return _nearest_first(candidates, distances)


def distances_to(x: np.ndarray, y: np.ndarray, metric: Metric) -> np.ndarray:
    """Distances between `comparable` vectors x and y [..., D], which broadcast, without cancellation.

    FAISS expands the square, and duplicates come out above zero.
    """
    difference = y - x
    if metric == "l1":
        return np.abs(difference).sum(axis=-1)
    squares = np.einsum("...d,...d->...", difference, difference)
    if metric != "cosine":
        return np.sqrt(squares)
    zero = ~(x.any(axis=-1) & y.any(axis=-1))
    return np.where(zero, np.float32(1), squares / 2)


def without_own(found: Neighbours, own: np.ndarray) -> Neighbours:
    """Drops each query's own row, or the farthest where it is not among those found."""
    Q, wanted = found.indices.shape
    dropped = found.indices == own[:, None]
    dropped[~dropped.any(axis=1), -1] = True
    return Neighbours(*(x[~dropped].reshape(Q, wanted - 1) for x in found))


def squared(distance, metric: Metric):
    """Square of the Euclidean distance between `comparable` vectors, from what `distances_to` says."""
    return 2 * distance if metric == "cosine" else distance**2


@contextmanager
def by_differences() -> Iterator[None]:
    """Keeps FAISS from the matrix product that expands the square of a difference."""
    most = faiss.cvar.distance_compute_blas_threshold
    try:
        faiss.cvar.distance_compute_blas_threshold = 2**31 - 1
        yield
    finally:
        faiss.cvar.distance_compute_blas_threshold = most


def _nearest_first(indices: np.ndarray, distances: np.ndarray, most: int | None = None) -> Neighbours:
    order = np.argsort(distances, axis=1, kind="stable")[:, :most]
    return Neighbours(np.take_along_axis(indices, order, 1), np.take_along_axis(distances, order, 1))
