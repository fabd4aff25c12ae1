"""Pairs of vectors that are nearly the same."""

from typing import Literal, NamedTuple

import faiss
import numpy as np
from tqdm import tqdm

from dim.search.nearest import comparable, distances_to

_QUERIES, _BANK = 256, 2**16  # rows compared at once
_SLACK = 1e-5  # of the squared length, which FAISS' expanded square may be wrong by


class Pairs(NamedTuple):
    """Pairs of different rows, the closest first.

    Attributes:
        rows: [P, 2] int64, the first of each pair being the smaller number.
        distances: [P] float32.
    """

    rows: np.ndarray
    distances: np.ndarray


def close_pairs(
    codes: np.ndarray, threshold: float, metric: Literal["l2", "cosine"] = "cosine", most: int = 1_000_000
) -> Pairs:
    """All pairs at most so far apart, by comparing every pair, with a progress bar.

    Args:
        codes: [N, D], memory-mapped or not; read block by block.
        threshold: largest distance, as `dim.search.nearest.Neighbours` has it.
        metric: of the distance.
        most: refuse to return more pairs.

    Raises:
        ValueError: the threshold is negative or not finite, a code is not finite, or there are more pairs.
    """
    if not 0 <= threshold < np.inf:
        raise ValueError(f"the threshold must be finite and not negative, not {threshold}")
    rows, distances, count = [np.empty((0, 2), "int64")], [np.empty(0, "float32")], 0
    with tqdm(total=len(codes), desc="comparing", unit=" codes", dynamic_ncols=True) as bar:
        for start in range(0, len(codes), _BANK):
            bank = comparable(codes[start : start + _BANK], metric)
            index = faiss.IndexFlatL2(bank.shape[1])
            index.add(bank)
            for first in range(0, start + len(bank), _QUERIES):
                queries = comparable(codes[first : min(first + _QUERIES, start + len(bank))], metric)
                found = _closer(index, queries, bank, threshold, metric, start - first)
                rows.append(found.rows + np.array([first, start]))
                distances.append(found.distances)
                count += len(found.rows)
                if count > most:
                    raise ValueError(
                        f"more than {most:,} pairs are within {threshold:g}; take a smaller threshold"
                    )
            bar.update(len(bank))
    rows, distances = np.concatenate(rows), np.concatenate(distances)
    order = np.lexsort((rows[:, 1], rows[:, 0], distances))
    return Pairs(rows[order], distances[order])


def _closer(
    index, queries: np.ndarray, bank: np.ndarray, threshold: float, metric: str, offset: int
) -> Pairs:
    """Pairs (row of the queries, row of the bank) of which the first comes before the second.

    Args:
        offset: what is added to a row of the bank to compare it with one of the queries.
    """
    square = 2 * threshold if metric == "cosine" else threshold**2
    slack = _SLACK * max(1e-30, np.einsum("nd,nd->n", queries, queries).max() + (bank**2).sum(axis=1).max())
    limits, _, others = index.range_search(queries, float(square + slack))
    ones = np.repeat(np.arange(len(queries)), np.diff(limits.astype("int64")))
    ordered = ones < others + offset
    ones, others = ones[ordered], others[ordered]
    distances = np.empty(len(ones), "float32")
    for part in range(0, len(ones), _BANK):
        part = slice(part, part + _BANK)
        distances[part] = distances_to(queries[ones[part]], bank[others[part]], metric)
    near = distances <= threshold
    return Pairs(np.stack([ones[near], others[near]], axis=1), distances[near])
