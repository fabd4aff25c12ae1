"""Retrieval metrics against loops and by hand, with ties, duplicates and classes of any size."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from dim.evaluation import retrieval_metrics as module
from dim.evaluation.retrieval_metrics import retrieval_metrics

SCIPY = {"l2": "euclidean", "cosine": "cosine", "l1": "cityblock"}


def unequal_classes(N=83, D=5, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.choice(6, N, p=[0.5, 0.25, 0.1, 0.08, 0.05, 0.02])
    labels[7] = 99  # a class with one member
    return rng.normal(labels[:, None] % 3 * 0.7 + 0.5, 1, (N, D)).astype("float32"), labels


def slow(vectors, labels, metric):
    """Straight from the definitions, one query after another."""
    each = []
    for q in range(len(vectors)):
        distances = cdist(vectors[q : q + 1].astype("float64"), vectors.astype("float64"), SCIPY[metric])[0]
        ranking = [i for i in np.argsort(distances, kind="stable") if i != q]
        R = sum(labels[i] == labels[q] for i in range(len(labels)) if i != q)
        if R == 0:
            continue
        hits = [labels[i] == labels[q] for i in ranking]
        map_at_r = sum(sum(hits[: i + 1]) / (i + 1) for i in range(R) if hits[i]) / R
        each.append((hits[0], sum(hits[:10]) / 10, sum(hits[:R]) / R, map_at_r))
    return np.mean(each, axis=0)


@pytest.mark.parametrize("queries", [1000, 9])
@pytest.mark.parametrize("metric", SCIPY)
def test_all_metrics_equal_a_loop_over_their_definitions(metric, queries, monkeypatch):
    monkeypatch.setattr(module, "_QUERIES", queries)
    vectors, labels = unequal_classes()
    np.testing.assert_allclose(retrieval_metrics(vectors, labels, metric), slow(vectors, labels, metric))


@pytest.mark.parametrize("metric", SCIPY)
def test_a_query_is_left_out_by_index_and_its_duplicates_are_not(metric):
    """Pairs of duplicates of two classes: each query's nearest is its twin, never itself."""
    vectors = np.repeat(np.random.default_rng(0).normal(size=(8, 3)), 2, axis=0)
    same, other = np.repeat(np.arange(8) % 2, 2), np.tile([0, 1], 8)
    assert retrieval_metrics(vectors, same, metric).recall_at_1 == 1
    assert retrieval_metrics(vectors, other, metric).recall_at_1 == 0


@pytest.mark.parametrize("metric", SCIPY)
def test_where_all_vectors_are_one_only_the_others_count(metric):
    """Any order is right; with two classes of two and the query gone, R = 1 hit of 3 others at most."""
    found = retrieval_metrics(np.ones((12, 4), "float32"), np.repeat(np.arange(6), 2), metric)
    assert 0 <= found.recall_at_1 <= 1 and found.recall_at_1 == found.r_precision == found.map_at_r
    assert found.precision_at_10 <= 0.1


def test_separate_classes_score_one_and_interleaved_ones_as_computed_by_hand():
    separate = np.array([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]])
    assert retrieval_metrics(separate, np.repeat([0, 1], 3))[2:] == (1, 1)
    # 0 a, 1 b, 2.1 a: from a at 0 come b, a; from a at 2.1 come b, a. R = 1, so nothing counts.
    line = np.array([[0.0], [1.0], [2.1]])
    assert retrieval_metrics(line, np.array([0, 1, 0])) == (0, None, 0, 0)
    # 0 a, 1 a, 3 b, 5 a: first query: hit, miss; R = 2; r-precision 1/2; MAP@R (1/1)/2. Second: hit, miss
    # (0 at 1, 3 at 2). Third query b has no other. Last: b at 2, a at 4: miss, hit: 1/2 and (1/2)/2.
    line = np.array([[0.0], [1.0], [3.0], [5.0]])
    found = retrieval_metrics(line, np.array([0, 0, 1, 0]))
    assert found == pytest.approx((2 / 3, None, 1 / 2, (1 / 2 + 1 / 2 + 1 / 4) / 3))


def test_classes_of_one_member_alone_are_refused():
    with pytest.raises(ValueError, match="no class has two members"):
        retrieval_metrics(np.eye(4), np.arange(4))


@pytest.mark.parametrize(("count", "known"), [(10, False), (11, True)])
def test_the_precision_of_ten_neighbours_needs_ten_others(count, known):
    found = retrieval_metrics(np.arange(count)[:, None] * np.ones(2), np.arange(count) % 2)
    assert (found.precision_at_10 is not None) == known
    if known:  # all others are found: 5 of 10 for the six of one class, 4 of 10 for the five of the other
        assert found.precision_at_10 == pytest.approx((6 * 0.5 + 5 * 0.4) / 11)
