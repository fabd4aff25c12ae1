"""How well a ranking of all films finds the one that each user chose."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dim.data.leave_last_out import Held

CUTOFF = 10
_COLD_CUTOFF = 100


class RankingMetrics(NamedTuple):
    """Means over the users, of whom each has one film to be found, so that Recall is the share of hits."""

    recall_at_10: float
    ndcg_at_10: float  # 1 / log2(1 + rank) of the film where its rank is at most 10, otherwise 0
    mrr: float  # 1 / rank
    coverage: float  # share of all films that are among the 10 first of a user at least
    cold_recall_at_100: float | None  # over users whose film nobody rated well in training; None without any


def unrated(scores: np.ndarray, rated: Sequence[np.ndarray]) -> np.ndarray:
    """Scores [Q, M] in which those of films that the user rated before are minus infinity."""
    scores = np.array(scores, "float32")
    for row, films in zip(scores, rated, strict=True):
        row[films] = -np.inf
    return scores


def ranks(scores: np.ndarray, films: np.ndarray) -> np.ndarray:
    """The rank [Q] of film [Q] among all in scores [Q, M], from 1 on; of equal scores, the mean one."""
    own = scores[np.arange(len(films)), films][:, None]
    return 1 + (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2


def gains(found: np.ndarray) -> np.ndarray:
    """What NDCG@10 is the mean of, from ranks [Q]."""
    return np.where(found <= CUTOFF, 1 / np.log2(1 + found), 0)


def recall(found: np.ndarray, cutoffs: np.ndarray) -> np.ndarray:
    """Share of ranks [Q] that are at most each cutoff [K]."""
    return (np.asarray(found)[:, None] <= cutoffs).mean(axis=0)


def ranking_metrics(scores: np.ndarray, held: Held, known: np.ndarray) -> RankingMetrics:
    """Of scores [Q, M] as of `unrated`; `known` [M] bool are the films rated well in training.

    Every film is a candidate: among a hundred drawn ones any method looks good, and the order of methods
    may be another (https://doi.org/10.1145/3394486.3403226). Raises ValueError if there are no users.
    """
    if not len(held.user):
        raise ValueError("no user has a film held out")
    found, M = ranks(scores, held.film), scores.shape[1]
    first = np.argpartition(-scores, min(CUTOFF, M) - 1, axis=1)[:, :CUTOFF]
    cold = ~known[held.film]
    return RankingMetrics(
        float((found <= CUTOFF).mean()),
        float(gains(found).mean()),
        float((1 / found).mean()),
        len(np.unique(first)) / M,
        float((found[cold] <= _COLD_CUTOFF).mean()) if cold.any() else None,
    )
