"""Milvus finds what exact search finds, by our distances; what it lacks is sent, what fails is one line."""

import json
import socket
from importlib.util import find_spec

import numpy as np
import pytest

from dim.search.duplicates import close_pairs, pairs_by
from dim.search.engine import engine_of
from dim.search.nearest import nearest

N, D, K = 2300, 12, 5
METRICS = "l2", "cosine"
installed = pytest.mark.skipif(
    not (find_spec("pymilvus") and find_spec("milvus_lite")),
    reason="pymilvus and milvus-lite are not installed",
)
pytestmark = pytest.mark.filterwarnings("ignore")  # of theirs


def codes(seed=0, count=N):
    return np.random.default_rng(seed).normal(0, 2, (count, D)).astype("float32")


@installed
@pytest.mark.parametrize("metric", METRICS)
def test_it_finds_what_exact_search_finds_by_the_same_distances(metric, tmp_path):
    rows, queries = codes(), codes(1, 20)
    milvus = engine_of("milvus")
    milvus.write(tmp_path, rows, metric)
    engine, own = milvus(tmp_path, rows, metric), np.array([3, 2299])
    for asked, of in (queries, None), (rows[own], own):
        found, expected = engine.search(asked, K, of), nearest(asked, rows, K, metric, of)
        np.testing.assert_array_equal(found.indices, expected.indices)
        np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-5, atol=1e-6)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["milvus.db", "milvus.json"]


@installed
@pytest.mark.parametrize("metric", METRICS)
def test_a_part_is_searched_by_a_filter_and_one_in_crumbs_exactly(metric, tmp_path, monkeypatch):
    rows, queries = codes(), codes(1, 5)
    milvus = engine_of("milvus")
    milvus.write(tmp_path, rows, metric)
    engine = milvus(tmp_path, rows, metric)
    parts = np.arange(100, 900), np.r_[3:5, 70, 2000:2300], np.array([7, 9]), np.arange(0, N, 2)
    asked, search = [], type(engine._client).search
    monkeypatch.setattr(
        type(engine._client), "search", lambda *a, **how: asked.append(how["filter"]) or search(*a, **how)
    )
    for among in parts:
        k = min(K, len(among))
        found, expected = (
            engine.search(queries, k, among=among),
            nearest(queries, rows, k, metric, among=among),
        )
        np.testing.assert_array_equal(found.indices, expected.indices)
        np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-5, atol=1e-6)
    own = np.array([100, 899])
    found = engine.search(rows[own], K, own, parts[0])
    np.testing.assert_array_equal(found.indices, nearest(rows[own], rows, K, metric, own, parts[0]).indices)
    assert asked[0] == "(id >= 100 and id <= 899)" and len(asked) == 3 * 5 + 2


@installed
def test_an_index_of_it_is_asked_for_pairs_and_parts_as_any_other(make, pets):
    index, exact = make("milvus"), nearest
    among = index.rows_of("dog")
    assert index.engine.filters and among.tolist() == list(range(6, 12))
    found, expected = (
        search(index.codes[:3], *rest)
        for search, rest in (
            (index.search, (4, "cosine", None, among)),
            (exact, (index.codes, 4, "cosine", None, among)),
        )
    )
    np.testing.assert_array_equal(found.indices, expected.indices)
    pairs, all_pairs = pairs_by(index.engine, 0.05), close_pairs(index.codes, 0.05)
    np.testing.assert_array_equal(pairs.rows, all_pairs.rows)
    assert len(pairs.rows)


@installed
def test_what_did_not_arrive_is_noticed_after_the_load(tmp_path, monkeypatch, refused):
    from pymilvus import MilvusClient

    upsert = MilvusClient.upsert
    monkeypatch.setattr(MilvusClient, "upsert", lambda c, n, data, **how: upsert(c, n, data[:-1], **how))
    with refused("holds 2,297 of 2,300 codes", "make the index anew"):
        engine_of("milvus").write(tmp_path, codes(), "l2")
    assert not (tmp_path / "milvus.json").exists()


@installed
def test_codes_of_another_length_are_noticed(tmp_path, refused):
    milvus = engine_of("milvus")
    milvus.write(tmp_path, codes(), "l2")
    with refused("holds codes of length 12, not 6", "make the index anew"):
        milvus(tmp_path, codes()[:, :6], "l2")


@installed
def test_an_interrupted_load_goes_on_behind_its_last_whole_batch(tmp_path, monkeypatch):
    from pymilvus import MilvusClient

    from dim.search.milvus import Milvus

    rows, sent, upsert = codes(), [], MilvusClient.upsert

    def stopped(client, name, data, **how):
        if sent == [0, 1000]:
            raise KeyboardInterrupt
        sent.append(data[0]["id"])
        return upsert(client, name, data, **how)

    monkeypatch.setattr(MilvusClient, "upsert", stopped)
    with pytest.raises(KeyboardInterrupt):
        Milvus.write(tmp_path, rows, "l2")
    assert not (tmp_path / "milvus.json").exists()
    monkeypatch.setattr(MilvusClient, "upsert", lambda *a, **k: sent.append(a[2][0]["id"]) or upsert(*a, **k))
    Milvus.write(tmp_path, rows, "l2")
    assert sent == [0, 1000, 2000]
    Milvus.write(tmp_path, rows, "l2")
    assert sent == [0, 1000, 2000]
    assert Milvus(tmp_path, rows, "l2").search(rows[-3:], 1).indices[:, 0].tolist() == [2297, 2298, 2299]


@installed
def test_another_number_of_codes_is_noticed(tmp_path, refused):
    milvus = engine_of("milvus")
    milvus.write(tmp_path, codes(), "l2")
    with refused("holds 2,300 of 10 codes", "make the index anew"):
        milvus(tmp_path, codes(count=10), "l2")


@installed
@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1", "127.0.0.1", "nonsense", "http://a b:1", "ftp://x:1"]
)
def test_a_server_that_is_not_there_is_one_line(address, tmp_path, monkeypatch, refused):
    monkeypatch.setenv("DIM_MILVUS", address)
    with refused(f"Milvus at {address}", "DIM_MILVUS"):
        engine_of("milvus").write(tmp_path, codes(), "l2")
    assert not list(tmp_path.iterdir())


@installed
def test_a_server_that_answers_nothing_is_one_line(tmp_path, monkeypatch, refused):
    monkeypatch.setattr("dim.search.milvus._SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("DIM_MILVUS", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with refused("Milvus at http://127.0.0.1", "DIM_MILVUS"):
            engine_of("milvus").write(tmp_path, codes(), "l2")


@installed
def test_a_server_that_refuses_or_goes_away_is_one_line(tmp_path, monkeypatch, refused):
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    milvus, error = engine_of("milvus"), MilvusException(1100, "auth check failure\nplease check")

    def fails(*_, **__):
        raise error

    milvus.write(tmp_path, codes(), "l2")
    engine = milvus(tmp_path, codes(), "l2")
    monkeypatch.setattr(MilvusClient, "search", fails)
    with refused("Milvus at", "auth check failure please check"):
        engine.search(codes(1, 2), K)
    monkeypatch.setattr(MilvusClient, "has_collection", fails)
    with refused("Milvus at", "auth check failure please check"):
        milvus.write(tmp_path, codes(2), "l2")


@pytest.mark.skipif(find_spec("pymilvus") is not None, reason="pymilvus is installed")
def test_without_pymilvus_it_says_what_to_install(tmp_path, refused):
    (tmp_path / "milvus.json").write_text(json.dumps({"address": "", "collection": "dim_1"}))
    with refused("pymilvus is not installed", "requirements-cluster.txt"):
        engine_of("milvus")(tmp_path, codes(), "l2")


def test_a_damaged_note_is_one_line(tmp_path, refused):
    (tmp_path / "milvus.json").write_text("no JSON")
    with refused("milvus.json", "make the index anew"):
        engine_of("milvus")(tmp_path, codes(), "l2")
