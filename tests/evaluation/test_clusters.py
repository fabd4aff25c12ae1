"""Clusters that are the classes, and clusters by chance."""

import numpy as np
import pytest

from dim.evaluation.clusters import cluster_agreement


def test_clusters_agree_with_classes_that_lie_apart_and_by_chance_with_shuffled_ones():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), [10, 40, 20, 130])
    vectors = rng.normal(0, 0.1, (200, 3)) + np.eye(4, 3)[labels] * 5
    assert cluster_agreement(vectors, labels) == pytest.approx(1)
    assert abs(cluster_agreement(vectors, rng.permutation(labels))) < 0.05


def test_collapsed_vectors_agree_with_nothing():
    assert cluster_agreement(np.ones((20, 3)), np.arange(20) % 2) == pytest.approx(0, abs=1e-9)
