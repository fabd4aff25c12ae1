"""Accuracy of the k-nearest-neighbour classifier."""

import numpy as np

from dim.data import Dataset
from dim.evaluation.evaluator import ACCURACY, LABELS, Evaluator, Features, share
from dim.search.nearest import METRICS, nearest

K = 20  # neighbours that vote where nothing else is asked for
_L2_VOTES, _COSINE_VOTES = 5, (20, 200)  # of the evaluation


def knn_accuracy(neighbour_labels: np.ndarray, labels: np.ndarray) -> float:
    """Share of queries whose class, [Q] int, wins the vote of their neighbours, [Q, k] int, nearest first.

    Every neighbour has one vote; among classes with equally many the one with the nearest neighbour wins.
    """
    votes = [(neighbour_labels == one[:, None]).sum(axis=1) for one in neighbour_labels.T]
    winner = np.argmax(votes, axis=0)  # the first, so the nearest, of those with most votes
    return float(np.mean(neighbour_labels[np.arange(len(labels)), winner] == labels))


def weighted_knn_accuracy(
    neighbour_labels: np.ndarray, cosines: np.ndarray, labels: np.ndarray, temperature: float = 0.07
) -> float:
    """Share of queries whose class, [Q] int, wins a vote in which near neighbours, [Q, k] each, count more.

        votes of a class = sum over its neighbours of  exp(cosine / temperature)

    as Wu et al. 2018 have it (https://arxiv.org/abs/1805.01978, section 3.4) and DINO after them: the lower
    the temperature, the more the nearest decide. Among classes with equal votes that of the lowest number
    wins.
    """
    Q, _ = neighbour_labels.shape
    votes = np.zeros((Q, neighbour_labels.max() + 1))
    np.add.at(votes, (np.arange(Q)[:, None], neighbour_labels), np.exp(cosines / temperature))
    return float(np.mean(np.argmax(votes, axis=1) == labels))


def knn_accuracies(train: np.ndarray, val: np.ndarray, dataset: Dataset, k: int) -> dict[str, float]:
    """By each metric, the accuracy of k-NN of validation vectors [Q, D] among training vectors [N, D]."""
    return {
        metric: knn_accuracy(dataset.train.labels[nearest(val, train, k, metric).indices], dataset.val.labels)
        for metric in METRICS
    }


def _measured(features: Features) -> dict[str, float]:
    """As many of the three as there are training images for."""
    N, accuracies = len(features.train), {}
    for k in (_L2_VOTES, *_COSINE_VOTES):
        if k > N:
            features.note(f"{k}-NN needs {k} training images; there are {N}")
    if N >= _L2_VOTES:
        found = nearest(features.val, features.train, _L2_VOTES, "l2")
        votes = features.train_labels[found.indices]
        accuracies[f"knn{_L2_VOTES}_l2"] = knn_accuracy(votes, features.val_labels)
    if possible := [k for k in _COSINE_VOTES if k <= N]:
        near = nearest(features.val, features.train, max(possible), "cosine")
        labels, cosines = features.train_labels[near.indices], 1 - near.distances
        for k in possible:
            accuracy = weighted_knn_accuracy(labels[:, :k], cosines[:, :k], features.val_labels)
            accuracies[f"knn{k}_cosine"] = accuracy
    return accuracies


_COLUMNS = (
    share(f"knn{_L2_VOTES}_l2", f"{_L2_VOTES}-NN"),
    *(share(f"knn{k}_cosine", f"{k}-NN") for k in _COSINE_VOTES),
)
_ABOUT = """
- 5-NN: Euclidean, one vote each, features as they are (Ermolov et al. 2021, arXiv 2007.06346).
- 20-NN and 200-NN: cosine, votes weighted by exp(s/0.07) (Wu et al. 2018, arXiv 1805.01978).
"""
NEIGHBOURS = Evaluator("neighbours", ACCURACY, {LABELS}, _measured, _COLUMNS, _ABOUT)
