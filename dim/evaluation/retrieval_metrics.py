"""How well neighbours keep to the class of their query."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from dim.evaluation.evaluator import LABELS, RETRIEVAL, Column, Evaluator, Features, share
from dim.search.engine import METRIC_NAMES
from dim.search.nearest import comparable, nearest, whitening

CUTOFF = 10
_QUERIES = 1000  # ranked at once
_MOST_WHITENED = 4096
_LEFT_OUT = "mahalanobis_left_out"


class RetrievalMetrics(NamedTuple):
    """Shares of 1, means over all queries whose class has R > 0 others (https://arxiv.org/abs/2003.08505)."""

    recall_at_1: float  # is the nearest of the query's class?
    precision_at_10: float | None  # of the 10 nearest, the share of its class; None of fewer than 10 others
    r_precision: float  # of the R nearest, the share of its class
    map_at_r: float  # (1/R) · sum over the hits i among the R nearest of (hits up to i) / i


def retrieval_metrics(
    vectors: np.ndarray, labels: np.ndarray, metric: Literal["l2", "cosine", "l1"] = "l2"
) -> RetrievalMetrics:
    """Ranks all vectors [N, D] for each of them, itself left out by its index, and looks at the classes [N].

    A duplicate of the query is a neighbour like any other. The order among equally distant ones is that of
    the search. Mahalanobis distance is `l2` after `whitening`. Raises ValueError if no class has two members.
    """
    _, of, members = np.unique(labels, return_inverse=True, return_counts=True)
    others = members[of] - 1
    queries = np.flatnonzero(others)
    if not len(queries):
        raise ValueError("no class has two members, so no query has anything to find")
    k = min(len(vectors) - 1, max(CUTOFF, int(others.max())))
    sums, enough = np.zeros(4), len(vectors) > CUTOFF
    for start in range(0, len(queries), _QUERIES):
        own = queries[start : start + _QUERIES]
        hits = labels[nearest(vectors[own], vectors, k, metric, own).indices] == labels[own][:, None]
        sums += _sums(hits, others[own])
    recall, precision, r_precision, map_at_r = (sums / len(queries)).tolist()
    return RetrievalMetrics(recall, precision if enough else None, r_precision, map_at_r)


def _sums(hits: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of the four metrics over queries, from hits [Q, k] bool, nearest first, and R [Q]."""
    rank = np.arange(1, hits.shape[1] + 1)
    counted = hits & (rank <= others[:, None])
    precision = np.cumsum(hits, axis=1) / rank
    r_precision, map_at_r = counted.sum(axis=1) / others, (precision * counted).sum(axis=1) / others
    return np.array([hits[:, 0].sum(), hits[:, :CUTOFF].sum() / CUTOFF, r_precision.sum(), map_at_r.sum()])


def _measured(features: Features) -> dict:
    """Of validation images among themselves; Mahalanobis by the covariance of the training images."""
    measured = {}
    for metric in features.metrics:
        vectors = np.asarray(features.val, "float32")
        if metric == "mahalanobis":
            if vectors.shape[1] > _MOST_WHITENED:
                features.note(f"Mahalanobis is left out for features of more than {_MOST_WHITENED:,} values")
                continue
            try:
                vectors = comparable(vectors, metric, whitening(features.train))
            except ValueError as error:
                measured[_LEFT_OUT] = str(error).partition(";")[0]
                continue
        distance = "l2" if metric == "mahalanobis" else metric
        try:
            found = retrieval_metrics(vectors, features.val_labels, distance)
        except ValueError as error:
            features.note(f"retrieval is left out: {error}")
            break
        if found.precision_at_10 is None:
            features.note(f"Precision@{CUTOFF} needs more than {CUTOFF} validation images")
        measured |= {f"{metric}_{name}": value for name, value in found._asdict().items()}
    return measured


def _columns() -> Iterator[Column]:
    titles = "Recall@1", "Precision@10", "R-precision", "MAP@R"
    for metric, table in METRIC_NAMES.items():
        for name, title in zip(RetrievalMetrics._fields, titles, strict=True):
            reason = _LEFT_OUT if (metric, name) == ("mahalanobis", "recall_at_1") else ""
            yield share(f"{metric}_{name}", title, table=table, instead=reason)


_ABOUT = """
- Means over all queries (Musgrave et al. 2020, arXiv 2003.08505). With R other images of a query's class,
  R-precision is the share of its class among the R nearest; MAP@R is the sum of the precisions at the hits
  among them, divided by R.
"""
RETRIEVAL_METRICS = Evaluator("retrieval", RETRIEVAL, {LABELS}, _measured, tuple(_columns()), _ABOUT)
