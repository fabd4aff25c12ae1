"""Classifiers take codes and sparse counts alike; few labels are few."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.neighbors import NearestCentroid

from dim.evaluation import texts
from dim.evaluation.texts import CLASSIFIERS, NearestMean, accuracy_and_f1, classified, few_labels


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 40)
    return np.abs(np.eye(3)[labels] + 0.4 * rng.normal(size=(120, 3))), labels


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_each_finds_what_is_there_in_dense_and_sparse_vectors(name, vectors):
    x, labels = vectors
    found = classified(name, x[::2], labels[::2], x[1::2])
    assert np.mean(found == labels[1::2]) > 0.8
    np.testing.assert_array_equal(
        found, classified(name, csr_matrix(x[::2]), labels[::2], csr_matrix(x[1::2]))
    )
    np.testing.assert_array_equal(
        found, classified(name, 7 * x[::2], labels[::2], x[1::2])
    )  # length is not asked


@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_the_nearest_mean_is_that_of_scikit_learn(form, vectors):
    x, labels = vectors
    theirs = NearestCentroid().fit(x[::2], labels[::2] + 5).predict(x[1::2])
    found = NearestMean().fit(form(x[::2]), labels[::2] + 5).predict(form(x[1::2]))
    np.testing.assert_array_equal(found, theirs)


def test_f1_is_the_mean_over_classes():
    accuracy, f1 = accuracy_and_f1(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))
    assert accuracy == 0.75 and f1 == pytest.approx((0.8 + 2 / 3) / 2)


def test_few_labels_are_so_many_of_each_class_and_of_the_training_texts(vectors, monkeypatch):
    x, labels = vectors
    seen = []

    def spy(name, train, some, test):
        seen.append((train, some))
        return np.zeros(len(test), int)

    monkeypatch.setattr(texts, "classified", spy)
    found = few_labels("logistic", x[:118], labels[:118], x[118:], labels[118:], (1, 5, 39), draws=2)
    assert [np.bincount(some).tolist() for _, some in seen] == [[1] * 3] * 2 + [[5] * 3] * 2 + [
        [39, 39, 38]
    ] * 2
    assert found == {1: [0, 0], 5: [0, 0], 39: [0, 0]}
    for train, some in seen:
        for row, label in zip(train, some, strict=True):
            assert label in labels[:118][(x[:118] == row).all(axis=1)]
    assert not np.array_equal(seen[0][0], seen[1][0])
