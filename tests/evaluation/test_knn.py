"""The vote of the neighbours against a loop, and its ties."""

from collections import Counter

import numpy as np
import pytest

from dim.evaluation.knn import knn_accuracy


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
