"""What can be searched: one small interface, and the table of those who offer it.

To add an engine, write a subclass of `Engine` in a file here and name it in `ENGINES`.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from pkgutil import resolve_name
from typing import Literal, NamedTuple

import numpy as np

METRIC_NAMES = {"l2": "L2", "cosine": "cosine", "l1": "L1", "mahalanobis": "Mahalanobis"}
"""Distances between codes, and what they are called in print."""
Metric = Literal[tuple(METRIC_NAMES)]
IndexMetric = Literal["l2", "cosine"]  # what an engine may be made for; by the others search is exact
Precision = Literal["float32", "float16"]  # of the codes on the disk; they are compared in float32

ENGINES = {
    "exact": "dim.search.faiss_index:Exact",
    "hnsw": "dim.search.faiss_index:Hnsw",
    "ivf": "dim.search.faiss_index:Ivf",
    "ivfpq": "dim.search.faiss_index:Ivfpq",
    "milvus": "dim.search.milvus:Milvus",
}
Kind = Literal[tuple(ENGINES)]


class Neighbours(NamedTuple):
    """The k nearest of each query, nearest first.

    Distances are Euclidean for `l2`, one minus the cosine for `cosine`, sums of absolute differences for
    `l1`, and for `mahalanobis` Euclidean after `whitening` by the bank; none of them is squared.
    """

    indices: np.ndarray  # [Q, k] int64, rows of the bank
    distances: np.ndarray  # [Q, k] float32


class Engine(ABC):
    """Finds the nearest codes of an index, [N, D] memory-mapped, by the metric given to `write`.

    Raises DimError if its file is not there, damaged, or of other codes.
    """

    file: str  # which `write` leaves in the folder of the index
    filters = False  # whether `search` takes `among` as well

    def __init__(self, folder: Path, codes: np.ndarray, metric: IndexMetric):
        self.codes, self.metric = codes, metric

    @staticmethod
    @abstractmethod
    def write(folder: Path, codes: np.ndarray, metric: IndexMetric) -> None:
        """Makes codes ready to be searched; DimError if it cannot, ValueError if a code is not finite."""

    @classmethod
    def extend(cls, old: Path, folder: Path, codes: np.ndarray, metric: IndexMetric) -> None:
        """As `write`, where another folder has the first of these codes already, by the same metric.

        Whoever can add to what is there does that here.
        """
        cls.write(folder, codes, metric)

    @abstractmethod
    def search(self, queries: np.ndarray, k: int, own: np.ndarray | None = None) -> Neighbours:
        """As `dim.search.nearest.nearest`; what is not found has index -1 and distance infinity."""


def engine_of(kind: Kind) -> type[Engine]:
    """The engine of a name, imported when it is asked for."""
    return resolve_name(ENGINES[kind])
