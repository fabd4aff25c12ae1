"""Pairs of vectors that are nearly the same."""

from typing import NamedTuple

import faiss
import numpy as np
from tqdm import tqdm

from dim.search.engine import Engine, IndexMetric
from dim.search.nearest import comparable, distances_to, squared

_QUERIES, _BANK = 256, 2**16  # rows compared at once
_FIRST, _TIMES = 16, 4  # neighbours of each that are asked for, and so many times more while all are near
_SLACK = 1e-5  # of the squared length, which FAISS' expanded square may be wrong by


class Pairs(NamedTuple):
    """Pairs of rows, the closest first."""

    rows: np.ndarray  # [P, 2] int64, the first of each being the smaller number where both are of one index
    distances: np.ndarray  # [P] float32


_NONE = Pairs(np.empty((0, 2), "int64"), np.empty(0, "float32"))


def close_pairs(
    codes: np.ndarray,
    threshold: float,
    metric: IndexMetric = "cosine",
    others: np.ndarray | None = None,
    most: int = 1_000_000,
) -> Pairs:
    """All pairs of codes [N, D] whose distance, as of `dim.search.engine.Neighbours`, is at most a threshold.

    With others, [M, D], all pairs of one of these and one of those. Every pair is compared, with a progress
    bar; memory-mapped codes are read block by block. Raises ValueError if the threshold is negative or not
    finite, a code is not finite, or there are more than so many pairs.
    """
    _check_threshold(threshold)
    found, count = [_NONE], 0
    banks = codes if others is None else others
    with tqdm(total=len(banks), desc="comparing", unit=" codes", dynamic_ncols=True) as bar:
        for start in range(0, len(banks), _BANK):
            bank = comparable(banks[start : start + _BANK], metric)
            index = faiss.IndexFlatL2(bank.shape[1])
            index.add(bank)
            end = start + len(bank) if others is None else len(codes)
            for first in range(0, end, _QUERIES):
                queries = comparable(codes[first : min(first + _QUERIES, end)], metric)
                close = _closer(index, queries, bank, threshold, metric, np.array([first, start]))
                if others is None:
                    once = close.rows[:, 0] < close.rows[:, 1]
                    close = Pairs(close.rows[once], close.distances[once])
                found.append(close)
                count += len(found[-1].rows)
                if count > most:
                    raise _too_many(most, threshold)
            bar.update(len(bank))
    return _closest_first(found)


def pairs_by(
    engine: Engine, threshold: float, others: np.ndarray | None = None, most: int = 1_000_000
) -> Pairs:
    """Such pairs of an engine's codes by its metric, as far as it finds them among the neighbours of each.

    With others, [M, D], pairs of one of these and one of the engine's. What grows with the square of the
    number of codes by `close_pairs` grows here as the engine's searches do. Raises ValueError as that does.
    """
    _check_threshold(threshold)
    codes = engine.codes if others is None else others
    held = len(engine.codes) - (others is None)
    found, count = [_NONE], 0
    with tqdm(total=len(codes), desc="asking", unit=" codes", dynamic_ncols=True) as bar:
        for start in range(0, len(codes) if held else 0, _QUERIES):
            rows, k = np.arange(start, min(start + _QUERIES, len(codes))), _FIRST
            bar.update(len(rows))
            while len(rows):
                own = rows if others is None else None
                near = engine.search(codes[rows], min(k, held), own)
                more = (near.distances[:, -1] <= threshold) & (k < held)
                close = (near.distances <= threshold) & ~more[:, None]
                pairs = np.stack([rows[close.nonzero()[0]], near.indices[close]], axis=1)
                found.append(Pairs(pairs, near.distances[close]))
                count += len(pairs)
                if count > most * (2 if others is None else 1):
                    raise _too_many(most, threshold)
                rows, k = rows[more], k * _TIMES
    pairs = _closest_first(found)
    if others is None:  # most of them twice, by either of the two
        _, first = np.unique(np.sort(pairs.rows, axis=1), axis=0, return_index=True)
        return _closest_first([Pairs(np.sort(pairs.rows[first], axis=1), pairs.distances[first])])
    return pairs


def _check_threshold(threshold: float) -> None:
    if not 0 <= threshold < np.inf:
        raise ValueError(f"the threshold must be finite and not negative, not {threshold}")


def _too_many(most: int, threshold: float) -> ValueError:
    return ValueError(f"more than {most:,} pairs are within {threshold:g}; take a smaller threshold")


def _closest_first(found: list[Pairs]) -> Pairs:
    rows, distances = map(np.concatenate, zip(*found, strict=True))
    order = np.lexsort((rows[:, 1], rows[:, 0], distances))
    return Pairs(rows[order], distances[order])


def _closer(
    index, queries: np.ndarray, bank: np.ndarray, threshold: float, metric: str, starts: np.ndarray
) -> Pairs:
    """Pairs of a query and a row of the bank, which begin at the rows `starts` of all codes."""
    slack = _SLACK * max(1e-30, (queries**2).sum(axis=1).max() + (bank**2).sum(axis=1).max())
    limits, _, others = index.range_search(queries, float(squared(threshold, metric) + slack))
    ones = np.repeat(np.arange(len(queries)), np.diff(limits.astype("int64")))
    pairs = np.stack([ones, others], axis=1) + starts
    distances = np.empty(len(pairs), "float32")
    for part in range(0, len(pairs), _BANK):
        one, other = (pairs[part : part + _BANK] - starts).T
        distances[part : part + _BANK] = distances_to(queries[one], bank[other], metric)
    near = distances <= threshold
    return Pairs(pairs[near], distances[near])
