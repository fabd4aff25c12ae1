"""What a learned recommender has to beat: popularity, neighbours of films, a factorised matrix.

Each is made of what training sees, with choices by NDCG@10 on validation, and scores all films [Q, M] for
histories of Q users, the latest film last.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from dim.data.films import counts, interactions
from dim.data.leave_last_out import Split
from dim.evaluation.ranking import ranking_metrics, unrated

Score = Callable[[Sequence[np.ndarray]], np.ndarray]
_NEIGHBOURS = 20, 50, 100
_LAST = 5, 10, 10_000
_FACTORS = 16, 32, 64, 128
_BLOCK = 1000  # films whose neighbours are sought at once


class Recommender(NamedTuple):
    """A name that says what was chosen, and its scores."""

    name: str
    score: Score


def popularity(split: Split, films: int) -> Recommender:
    """How many users rated a film well, the same for everybody."""
    popular = counts(split, films).astype("float32")
    return Recommender("popularity", lambda liked: np.tile(popular, (len(liked), 1)))


def item_knn(split: Split, films: int) -> Recommender:
    """Sum of the similarities of a film to the last n that the user liked, over its k most similar films.

    Similarity is the cosine between the columns of two films in the matrix of who rated what well: of two
    vectors, where the tutorial that this project started from gave one.
    """
    columns = normalize(interactions(split.liked, films).T.tocsr())
    parts = [_nearest(columns, start) for start in range(0, films, _BLOCK)]
    values, near = map(np.concatenate, zip(*parts, strict=True))
    choices = {}
    for k in (min(k, near.shape[1]) for k in _NEIGHBOURS):
        ends = np.arange(0, films * k + 1, k)
        similar = csr_matrix((values[:, :k].ravel(), near[:, :k].ravel(), ends), (films, films)).T.tocsr()
        for n in _LAST:
            length = "all" if n == _LAST[-1] else f"the last {n}"
            name = f"item-kNN ({k} neighbours, {length} films)"
            choices[name] = lambda liked, s=similar, n=n: _summed([own[-n:] for own in liked], s)
    return _best(choices, split, films)


def factorised(split: Split, films: int) -> Recommender:
    """Scores by the first singular vectors of the matrix of who rated what well (scikit-learn's)."""
    matrix, choices = interactions(split.liked, films), {}
    most = max(1, min(matrix.shape) - 1)
    axes = TruncatedSVD(min(_FACTORS[-1], most), random_state=0).fit(matrix).components_
    for k in _FACTORS:
        own = axes[:k]
        choices[f"SVD ({len(own)} factors)"] = lambda liked, own=own: (
            (interactions(liked, films) @ own.T) @ own
        )
    return _best(choices, split, films)


def _best(choices: dict[str, Score], split: Split, films: int) -> Recommender:
    known = counts(split, films) > 0

    def ndcg(name: str) -> float:
        scores = unrated(choices[name](split.val.liked), split.val.rated)
        return ranking_metrics(scores, split.val, known).ndcg_at_10

    best = max(choices, key=ndcg)
    return Recommender(best, choices[best])


def _nearest(columns: csr_matrix, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of some films with their nearest others, nearest first, and which these are: [b, K] each."""
    cosines = (columns[start : start + _BLOCK] @ columns.T).toarray()
    rows = np.arange(len(cosines))
    cosines[rows, start + rows] = 0  # itself
    K = min(_NEIGHBOURS[-1], cosines.shape[1])
    near = np.argpartition(-cosines, K - 1, axis=1)[:, :K]
    order = np.argsort(-np.take_along_axis(cosines, near, 1), axis=1, kind="stable")
    near = np.take_along_axis(near, order, 1)
    return np.take_along_axis(cosines, near, 1), near


def _summed(liked: list[np.ndarray], similar: csr_matrix) -> np.ndarray:
    return (interactions(liked, similar.shape[0]) @ similar).toarray()
