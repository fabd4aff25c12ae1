"""Exact nearest neighbours of any vectors, by FAISS."""

from typing import Literal, NamedTuple, get_args

import faiss
import numpy as np

Metric = Literal["l2", "cosine"]
METRICS = get_args(Metric)
_BLOCK = 2**25  # floats of the bank that are searched at once: 128 MB


class Neighbours(NamedTuple):
    """The k nearest of each query, nearest first.

    Attributes:
        indices: [Q, k] int64, rows of the bank.
        distances: [Q, k] float32. For `l2` the Euclidean distance, for `cosine` one minus the cosine.
    """

    indices: np.ndarray
    distances: np.ndarray


def nearest(
    queries: np.ndarray, bank: np.ndarray, k: int, metric: Metric = "l2", own: np.ndarray | None = None
) -> Neighbours:
    """Finds the k nearest rows of the bank for each query.

    L2 is taken of the vectors as they are, never normalised (normalised, L2 and cosine rank alike).
    The bank is read block by block, so a memory-mapped one of any length and type will do.

    Args:
        queries: [Q, D].
        bank: [N, D].
        k: neighbours a query.
        metric: `l2` or `cosine`; a zero vector has cosine 0 with everything.
        own: [Q] int; the row of the bank that is the query itself and must not be found. By index:
            a duplicate of the query in another row counts as a neighbour.

    Raises:
        ValueError: the shapes do not fit, a value is not finite, or the bank holds fewer than k others.
    """
    if queries.ndim != 2 or bank.ndim != 2 or queries.shape[1] != bank.shape[1]:
        raise ValueError(f"queries and bank must be [Q, D] and [N, D], not {queries.shape} and {bank.shape}")
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {METRICS}, not {metric!r}")
    wanted = k if own is None else k + 1
    if not 0 < wanted <= len(bank):
        raise ValueError(f"{k} neighbours were asked for, the bank holds {len(bank) - wanted + k} others")
    queries = _vectors(queries, metric)
    found = Neighbours(np.empty((len(queries), 0), "int64"), np.empty((len(queries), 0), "float32"))
    block = max(1, _BLOCK // bank.shape[1])
    for start in range(0, len(bank), block):
        found = _merge(found, _search(queries, bank[start : start + block], wanted, metric, start), wanted)
    if own is not None:
        found = _without(found, np.asarray(own))
    return found


def _vectors(x: np.ndarray, metric: Metric) -> np.ndarray:
    x = np.ascontiguousarray(x, dtype="float32")
    if not np.isfinite(x).all():
        raise ValueError("there are vectors with values that are not finite")
    if metric == "cosine":
        length = np.linalg.norm(x, axis=1, keepdims=True)
        x = x / np.where(length > 0, length, 1)
    return x


def _search(queries: np.ndarray, block: np.ndarray, wanted: int, metric: Metric, start: int) -> Neighbours:
    block = _vectors(block, metric)
    index = (faiss.IndexFlatIP if metric == "cosine" else faiss.IndexFlatL2)(block.shape[1])
    index.add(block)
    _, indices = index.search(queries, min(wanted, len(block)))
    return Neighbours(indices + start, _distances(queries, block, indices, metric))


def _distances(queries: np.ndarray, block: np.ndarray, indices: np.ndarray, metric: Metric) -> np.ndarray:
    """Anew and without cancellation: FAISS expands the square, and duplicates come out above zero."""
    distances = np.empty(indices.shape, "float32")
    for query, row, out in zip(queries, indices, distances, strict=True):
        difference = block[row] - query
        out[:] = np.einsum("kd,kd->k", difference, difference)
    if metric == "l2":
        return np.sqrt(distances)
    zero = ~queries.any(axis=1)[:, None] | ~block.any(axis=1)[indices]
    return np.where(zero, np.float32(1), distances / 2)


def _merge(one: Neighbours, other: Neighbours, wanted: int) -> Neighbours:
    indices, distances = (np.concatenate(parts, axis=1) for parts in zip(one, other, strict=True))
    order = np.argsort(distances, axis=1, kind="stable")[:, :wanted]
    return Neighbours(np.take_along_axis(indices, order, 1), np.take_along_axis(distances, order, 1))


def _without(found: Neighbours, own: np.ndarray) -> Neighbours:
    """Drops each query's own row, or the farthest where it is not among those found."""
    Q, wanted = found.indices.shape
    dropped = found.indices == own[:, None]
    dropped[~dropped.any(axis=1), -1] = True
    return Neighbours(*(x[~dropped].reshape(Q, wanted - 1) for x in found))
