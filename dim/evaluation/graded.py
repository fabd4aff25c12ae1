"""How far similarities follow grades, and what they have to beat."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dim.data.tokens import words
from dim.measures.distances import cosine_distance


class Correlations(NamedTuple):
    """Of similarities and grades, from -1 to 1."""

    spearman: float  # of their ranks
    pearson: float


def correlations(similarities: np.ndarray, grades: np.ndarray) -> Correlations:
    """Of [N] and [N]; 0 where one of them is constant, which says nothing of the other."""
    from scipy.stats import pearsonr, spearmanr

    if np.ptp(similarities) == 0 or np.ptp(grades) == 0:
        return Correlations(0.0, 0.0)
    return Correlations(*(float(by(similarities, grades).statistic) for by in (spearmanr, pearsonr)))


def cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Of codes [N, D] and [N, D], pair by pair: [N]; 0 where a code is 0."""
    return 1 - cosine_distance(first, second)


def tfidf_cosines(known: Sequence[str], first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    """The same of TF-IDF vectors as scikit-learn makes them by default, the rarities those of known texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer().fit(known)
    one, other = vectors.transform(first), vectors.transform(second)
    return np.asarray(one.multiply(other).sum(axis=1)).ravel()


def overlaps(first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    """Words that both have as a share of the words that one of them has (Jaccard): [N]."""
    both = [(set(words(a)), set(words(b))) for a, b in zip(first, second, strict=True)]
    return np.array([len(a & b) / max(1, len(a | b)) for a, b in both])
