"""The votes of the neighbours against loops and scikit-learn, and their ties."""

import math
from collections import Counter

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier

from dim.data import Dataset, Split
from dim.evaluation.knn import knn_accuracies, knn_accuracy, weighted_knn_accuracy
from dim.search.nearest import nearest


def vote(neighbour_labels):
    counts = Counter(neighbour_labels.tolist())
    most = max(counts.values())
    return next(label for label in neighbour_labels.tolist() if counts[label] == most)


@pytest.mark.parametrize("k", [1, 2, 5, 20])
def test_the_vote_equals_a_loop_over_counters(k):
    rng = np.random.default_rng(k)
    neighbours, labels = rng.integers(0, 4, (200, k)), rng.integers(0, 4, 200)
    expected = np.mean([vote(row) == label for row, label in zip(neighbours, labels, strict=True)])
    assert knn_accuracy(neighbours, labels) == pytest.approx(expected)


def test_a_tie_goes_to_the_nearest():
    assert knn_accuracy(np.array([[2, 1, 1, 2]]), np.array([2])) == 1
    assert knn_accuracy(np.array([[1, 2, 2, 1]]), np.array([2])) == 0


def test_a_class_that_no_neighbour_has_is_a_miss():
    assert knn_accuracy(np.array([[0, 0]]), np.array([9])) == 0


def weighted_vote(labels, cosines, temperature):
    votes = {}
    for label, cosine in zip(labels.tolist(), cosines.tolist(), strict=True):
        votes[label] = votes.get(label, 0.0) + math.exp(cosine / temperature)
    return min(votes, key=lambda label: (-votes[label], label))


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_the_weighted_vote_equals_the_formula_in_a_loop(temperature):
    rng = np.random.default_rng(0)
    neighbours, labels = rng.integers(0, 5, (300, 20)), rng.integers(0, 6, 300)
    cosines = -np.sort(-rng.uniform(-1, 1, (300, 20)))
    cosines[:100] = cosines[:100, :1]  # ties everywhere
    voted = [weighted_vote(*row, temperature) for row in zip(neighbours, cosines, strict=True)]
    assert weighted_knn_accuracy(neighbours, cosines, labels, temperature) == np.mean(voted == labels)


def test_one_near_neighbour_outvotes_three_that_are_farther():
    neighbours, truth = np.array([[1, 0, 0, 0]]), np.array([1])
    assert weighted_knn_accuracy(neighbours, np.array([[0.9, 0.8, 0.8, 0.8]]), truth) == 1  # e^(0.1/0.07) > 3
    assert weighted_knn_accuracy(neighbours, np.array([[0.9, 0.85, 0.85, 0.85]]), truth) == 0
    assert knn_accuracy(neighbours, truth) == 0


def test_both_votes_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    bank, queries = rng.normal(0.5, 1, (211, 9)), rng.normal(0.5, 1, (57, 9))
    labels, truth = rng.choice(4, 211, p=[0.5, 0.3, 0.15, 0.05]), rng.integers(0, 4, 57)
    plain = KNeighborsClassifier(1).fit(bank, labels).score(queries, truth)
    assert knn_accuracy(labels[nearest(queries, bank, 1).indices], truth) == plain
    weighted = KNeighborsClassifier(20, metric="cosine", weights=lambda d: np.exp((1 - d) / 0.07))
    found = nearest(queries, bank, 20, "cosine")
    ours = weighted_knn_accuracy(labels[found.indices], 1 - found.distances, truth)
    assert ours == weighted.fit(bank, labels).score(queries, truth)


def test_validation_images_ask_training_images_by_both_metrics():
    rng = np.random.default_rng(2)
    train, val = (rng.normal(0.3, 1, (n, 4)) * rng.uniform(0.2, 3, (n, 1)) for n in (90, 60))
    labels, truth = rng.integers(0, 3, 90), rng.integers(0, 3, 60)
    splits = (Split(x, y, [""] * len(x)) for x, y in ((train, labels), (val, truth)))
    found = knn_accuracies(train, val, Dataset("rays", *splits, ["a", "b", "c"]), 7)
    for metric, theirs in ("l2", "euclidean"), ("cosine", "cosine"):
        order = np.argsort(cdist(val, train, theirs), axis=1)[:, :7]
        votes = [vote(row) for row in labels[order]]
        assert found[metric] == np.mean(votes == truth)
    assert found["l2"] != found["cosine"]
