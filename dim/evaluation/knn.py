"""Accuracy of the k-nearest-neighbour classifier."""

import numpy as np

from dim.data import Dataset
from dim.search.nearest import METRICS, nearest

K = 20  # neighbours that vote where nothing else is asked for
TEMPERATURE = 0.07


def knn_accuracy(neighbour_labels: np.ndarray, labels: np.ndarray) -> float:
    """Share of queries whose class wins the vote of their neighbours.

    Every neighbour has one vote; among classes with equally many the one with the nearest neighbour wins.

    Args:
        neighbour_labels: [Q, k] int, nearest first.
        labels: [Q] int, the truth.
    """
    Q, k = neighbour_labels.shape
    votes = np.zeros((Q, neighbour_labels.max() + 1))
    # From the farthest to the nearest, a vote counts 1 and a bit; the bits decide nothing but ties.
    tie_breaker = np.zeros_like(votes)
    for i in reversed(range(k)):
        at = np.arange(Q), neighbour_labels[:, i]
        votes[at] += 1
        tie_breaker[at] = (k - i) / (k + 1)
    return float(np.mean(np.argmax(votes + tie_breaker / 2, axis=1) == labels))


def weighted_knn_accuracy(
    neighbour_labels: np.ndarray, cosines: np.ndarray, labels: np.ndarray, temperature: float = TEMPERATURE
) -> float:
    """Share of queries whose class wins a vote in which near neighbours count more.

        votes of a class = sum over its neighbours of  exp(cosine / temperature)

    as Wu et al. 2018 have it (https://arxiv.org/abs/1805.01978, section 3.4) and DINO after them. Among
    classes with equal votes the one of the lowest number wins.

    Args:
        neighbour_labels: [Q, k] int.
        cosines: [Q, k], of the angles between query and neighbours.
        labels: [Q] int, the truth.
        temperature: the smaller, the more the nearest decide.
    """
    Q, _ = neighbour_labels.shape
    votes = np.zeros((Q, neighbour_labels.max() + 1))
    np.add.at(votes, (np.arange(Q)[:, None], neighbour_labels), np.exp(cosines / temperature))
    return float(np.mean(np.argmax(votes, axis=1) == labels))


def knn_accuracies(train: np.ndarray, val: np.ndarray, dataset: Dataset, k: int) -> dict[str, float]:
    """By each metric, the accuracy of all validation images against all training images.

    Args:
        train: [N, D], a vector for each training image.
        val: [Q, D], a vector for each validation image.
        dataset: labelled.
        k: neighbours that vote.
    """
    return {
        metric: knn_accuracy(dataset.train.labels[nearest(val, train, k, metric).indices], dataset.val.labels)
        for metric in METRICS
    }
