"""Retrieval against brute force, with duplicates, ties and several blocks."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, mahalanobis
from sklearn.covariance import LedoitWolf

from dim.search import nearest as retrieval
from dim.search.nearest import comparable, nearest, ranked, whitening

METRICS = "l2", "cosine", "l1", "mahalanobis"

Q, N, D, K = 5, 40, 7, 6


def vectors(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(2, 1, (Q, D)).astype("float32"), rng.normal(2, 1, (N, D)).astype("float32")


def distance(metric, a, b):
    a, b = a.astype("float64"), b.astype("float64")
    if metric in ("l2", "mahalanobis"):
        return np.sqrt(((a - b) ** 2).sum())
    if metric == "l1":
        return np.abs(a - b).sum()
    return 1 - a @ b / np.sqrt((a @ a) * (b @ b))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("block", [2**25, 11 * D])
def test_neighbours_and_distances_are_those_of_brute_force(metric, block, monkeypatch):
    monkeypatch.setattr(retrieval, "_BLOCK", block)
    monkeypatch.setattr(retrieval, "_AT_ONCE", block // 4)
    queries, bank = vectors()
    found = nearest(queries, bank, K, metric)
    if metric == "mahalanobis":
        queries, bank = queries @ whitening(bank), bank @ whitening(bank)
    for q in range(Q):
        truth = np.array([distance(metric, queries[q], row) for row in bank])
        assert found.indices[q].tolist() == np.argsort(truth)[:K].tolist()
        np.testing.assert_allclose(found.distances[q], np.sort(truth)[:K], rtol=1e-4)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("block", [2**25, 4 * D])
def test_among_some_rows_distances_and_order_stay_those_of_the_whole_bank(metric, block, monkeypatch):
    monkeypatch.setattr(retrieval, "_BLOCK", block)
    queries, bank = vectors()
    among = np.array([1, 2, 3, 17, 20, 21, 38])
    every, found = nearest(queries, bank, N, metric), nearest(queries, bank, K, metric, among=among)
    for q in range(Q):
        inside = np.isin(every.indices[q], among)
        assert found.indices[q].tolist() == every.indices[q][inside][:K].tolist()
        np.testing.assert_allclose(found.distances[q], every.distances[q][inside][:K], rtol=1e-4)
    own = np.array([2, 38])
    assert not (nearest(bank[own], bank, 6, metric, own, among).indices == own[:, None]).any()
    with pytest.raises(ValueError, match="8 neighbours were asked for, the bank holds 7"):
        nearest(queries, bank, 8, metric, among=among)


def test_l2_is_not_normalised_and_ranks_otherwise_than_cosine():
    queries, bank = np.array([[1.0, 0.0]]), np.array([[10.0, 0.0], [0.9, 0.5]])
    assert nearest(queries, bank, 1, "l2").indices[0, 0] == 1
    assert nearest(queries, bank, 1, "cosine").indices[0, 0] == 0


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("block", [2**25, 3 * D])
def test_a_query_is_never_its_own_neighbour_even_among_many_duplicates(metric, block, monkeypatch):
    monkeypatch.setattr(retrieval, "_BLOCK", block)
    _, bank = vectors()
    bank[10:30] = bank[10]  # more duplicates than neighbours: the own row may not even be found
    own = np.array([10, 20, 29, 0])
    found = nearest(bank[own], bank, K, metric, own)
    assert not (found.indices == own[:, None]).any()
    assert found.indices.shape == (4, K)
    assert set(found.indices[:3].flatten().tolist()) <= set(range(10, 30))


@pytest.mark.parametrize("metric", METRICS)
def test_a_duplicate_of_the_query_is_a_neighbour_at_distance_zero(metric):
    _, bank = vectors()
    bank = bank * 100
    bank[3] = bank[7]
    found = nearest(bank[[7]], bank, 2, metric, own=np.array([7]))
    assert found.indices[0, 0] == 3 and found.distances[0, 0] == 0


@pytest.mark.parametrize("metric", METRICS)
def test_a_memory_mapped_uint8_bank_is_searched_as_it_is(metric, tmp_path):
    rows = np.random.default_rng(0).integers(0, 256, (N, D), "uint8")
    np.save(tmp_path / "bank.npy", rows)
    bank = np.load(tmp_path / "bank.npy", mmap_mode="r")
    expected = nearest(rows[:Q].astype("float32"), rows.astype("float32"), K, metric)
    np.testing.assert_array_equal(nearest(bank[:Q], bank, K, metric).distances, expected.distances)


def test_the_mahalanobis_distance_is_that_of_scipy_with_the_shrunk_covariance():
    mix = np.random.default_rng(3).normal(size=(D, D)).astype("float32")  # or it would shrink to the identity
    queries, bank = (x @ mix for x in vectors())
    inverse = np.linalg.inv(LedoitWolf().fit(bank.astype("float64")).covariance_)
    found = nearest(queries, bank, K, "mahalanobis")
    for query, rows, distances in zip(queries, *found, strict=True):
        expected = [mahalanobis(query, bank[i], inverse) for i in rows]
        np.testing.assert_allclose(distances, expected, rtol=1e-4)


def test_whitened_vectors_do_not_correlate_however_they_were_stretched():
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(0, 1, (D, D)))[0]
    bank = rng.normal(0, 1, (5000, D)) * np.geomspace(1, 5, D) @ rotation
    np.testing.assert_allclose(np.cov(bank @ whitening(bank), rowvar=False), np.eye(D), atol=0.1)


def test_distance_between_whitened_vectors_is_mahalanobis():
    rng = np.random.default_rng(0)
    sample = rng.normal(size=(5000, 4)) @ rng.normal(size=(4, 4))
    covariance = np.cov(sample.T)
    ours = cdist(*[comparable(sample[:20], "mahalanobis", whitening(sample))] * 2)
    np.testing.assert_allclose(
        ours, cdist(sample[:20], sample[:20], "mahalanobis", VI=np.linalg.inv(covariance)), rtol=0.05
    )


def test_whitening_survives_a_dimension_that_never_changes():
    sample = np.random.default_rng(0).normal(size=(50, 3))
    sample[:, 1] = 4
    assert np.isfinite(comparable(sample, "mahalanobis", whitening(sample))).all()


def test_fewer_vectors_than_dimensions_have_a_mahalanobis_distance():
    bank = np.random.default_rng(0).normal(0, 1, (5, 30)).astype("float32")
    found = nearest(bank, bank, 5, "mahalanobis")
    assert found.indices[:, 0].tolist() == [0, 1, 2, 3, 4] and np.isfinite(found.distances).all()
    assert np.ptp(found.distances[:, 1:]) > 0.1


def test_vectors_that_are_all_the_same_have_none():
    with pytest.raises(ValueError, match="do not vary"):
        nearest(np.ones((1, D)), np.ones((9, D)), 1, "mahalanobis")


@pytest.mark.parametrize("metric", ["l2", "cosine", "l1"])
def test_candidates_are_ranked_by_their_exact_distances_and_none_comes_last(metric):
    queries, bank = vectors()
    expected = nearest(queries, bank, 6, metric)
    candidates = expected.indices[:, [4, 0, 3, 5, 2, 1]].copy()
    candidates[:, 3] = -1
    found = ranked(queries, bank, candidates, metric)
    np.testing.assert_array_equal(found.indices[:, :5], expected.indices[:, :5])
    np.testing.assert_allclose(found.distances[:, :5], expected.distances[:, :5], rtol=1e-6)
    assert (found.indices[:, 5] == -1).all() and np.isinf(found.distances[:, 5]).all()


def test_a_zero_vector_has_cosine_zero_with_everything():
    found = nearest(np.zeros((1, 2)), np.eye(2), 2, "cosine")
    assert found.distances.tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 0}, "0 neighbours"),
        ({"k": N + 1}, f"bank holds {N} others"),
        ({"k": N, "own": np.arange(Q)}, f"bank holds {N - 1} others"),
        ({"metric": "manhattan"}, "metric must be one of"),
        ({"queries": np.zeros((Q, D + 1))}, "must be"),
        ({"queries": np.full((Q, D), np.nan)}, "not finite"),
        ({"bank": np.full((N, D), np.inf)}, "not finite"),
    ],
)
def test_impossible_questions_are_refused(change, message):
    queries, bank = vectors()
    with pytest.raises(ValueError, match=message):
        nearest(**{"queries": queries, "bank": bank, "k": K, **change})


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@pytest.mark.parametrize("apart", [1e-2, 1e-5, 1e-6])
@pytest.mark.parametrize("clusters", [1, 3])
def test_neighbours_that_have_nearly_collapsed_are_still_told_apart(metric, apart, clusters):
    """At D = 256, by cosine distances of about 1e-5 and 1e-6; the truth in float64, by differences."""
    rng = np.random.default_rng(0)
    centres = np.linalg.norm(np.ones(256)) ** -1 * np.sign(rng.normal(size=(clusters, 256)))
    x = centres[np.arange(1200) % clusters] + rng.normal(0, np.sqrt(apart / 256), (1200, 256))
    bank, queries = x[:1000].astype("float32"), x[1000:].astype("float32")
    found = nearest(queries, bank, 10, metric).indices

    def unit(x):
        x = x.astype("float64")
        return x / np.linalg.norm(x, axis=1, keepdims=True) if metric == "cosine" else x

    truth = np.array([np.square(unit(bank) - query).sum(axis=1).argsort()[:10] for query in unit(queries)])
    assert np.mean([len(set(f) & set(t)) for f, t in zip(found, truth, strict=True)]) > 9.98


@pytest.mark.parametrize("scale", [1e-38, 1e-25, 1e25, 1e37])
def test_cosine_does_not_depend_on_the_scale(scale):
    queries, bank = vectors()
    expected = nearest(queries, bank, K, "cosine")
    found = nearest(queries * np.float32(scale), bank * np.float32(scale), K, "cosine")
    np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-4, atol=1e-6)


def test_a_zero_vector_in_the_bank_is_no_nearer_than_a_right_angle():
    bank = np.array([[0, 0], [1, 2], [-1, 0], [0, 0]])
    found = nearest(np.array([[1, 0]]), bank, 4, "cosine")
    assert found.indices.tolist() == [[1, 0, 3, 2]]
    np.testing.assert_allclose(found.distances, [[1 - 5**-0.5, 1, 1, 2]], rtol=1e-6)
