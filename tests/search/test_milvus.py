"""Milvus finds what exact search finds, by our distances; what it lacks is sent, what fails is one line."""

import json
from importlib.util import find_spec

import numpy as np
import pytest

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
def test_a_server_that_is_not_there_is_one_line(tmp_path, monkeypatch, refused):
    monkeypatch.setenv("DIM_MILVUS", "http://127.0.0.1:1")
    with refused("Milvus at http://127.0.0.1:1", "DIM_MILVUS"):
        engine_of("milvus").write(tmp_path, codes(), "l2")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(find_spec("pymilvus") is not None, reason="pymilvus is installed")
def test_without_pymilvus_it_says_what_to_install(tmp_path, refused):
    (tmp_path / "milvus.json").write_text(json.dumps({"address": "", "collection": "dim_1"}))
    with refused("pymilvus is not installed", "requirements-cluster.txt"):
        engine_of("milvus")(tmp_path, codes(), "l2")


def test_a_damaged_note_is_one_line(tmp_path, refused):
    (tmp_path / "milvus.json").write_text("no JSON")
    with refused("milvus.json", "make the index anew"):
        engine_of("milvus")(tmp_path, codes(), "l2")
