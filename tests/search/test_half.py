"""Codes in half precision: half as large, searched as exactly as they are, never taken for others."""

import faiss
import numpy as np
import pytest

from dim.search.duplicates import close_pairs
from dim.search.engine import engine_of
from dim.search.nearest import nearest, recall
from tests.search.conftest import BLIND, EMBEDDER, N, embed
from tests.search.test_indexer import BATCH, greys_of, recipe
from tests.search.test_indexer import embed as embed_grey

HALF = EMBEDDER._replace(precision="float16")
KINDS = "exact", "hnsw", "ivf", "ivfpq"
COUNT, D, K = 3000, 12, 7


@pytest.fixture
def codes(tmp_path):
    """Forty clusters, memory-mapped in half precision, and what they were before."""
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 3, (40, D))[rng.integers(0, 40, COUNT)] + rng.normal(0, 1, (COUNT, D))
    rows[50:60] = rows[50]
    np.save(tmp_path / "codes.npy", rows.astype("float16"))
    return np.load(tmp_path / "codes.npy", mmap_mode="r"), rows.astype("float32")


@pytest.mark.parametrize("metric", ["l2", "cosine"])
@pytest.mark.parametrize("kind", KINDS)
def test_engines_find_what_they_find_of_the_rounded_codes_by_exact_distances(kind, metric, codes, tmp_path):
    rows, whole = codes
    engine_of(kind).write(tmp_path, rows, metric)
    engine = engine_of(kind)(tmp_path, rows, metric)
    asked, own = whole[:40] + np.float32(0.1), np.array([3, 55, 2999])
    found, expected = engine.search(asked, K), nearest(asked, rows.astype("float32"), K, metric)
    assert (found.distances <= expected.distances[:, -1:] * (1 + 1e-5)).mean() > (
        0.99 if kind == "exact" else 0.9
    )
    same = found.indices == expected.indices
    np.testing.assert_allclose(found.distances[same], expected.distances[same], rtol=1e-5, atol=1e-7)
    assert not (engine.search(rows[own], K, own).indices == own[:, None]).any()
    assert recall(engine) > (0.999 if kind == "exact" else 0.95)
    assert 0.9 < recall(engine, truth=whole) <= 1


def test_the_loss_of_rounding_is_counted_against_what_codes_were(tmp_path):
    whole = 100 + np.random.default_rng(0).normal(0, 0.1, (500, D)).astype("float32")
    rows = whole.astype("float16")
    engine_of("exact").write(tmp_path, rows, "l2")
    engine = engine_of("exact")(tmp_path, rows, "l2")
    assert recall(engine) == 1 and recall(engine, truth=whole) < 0.95


@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf"])
def test_an_index_takes_half_of_what_a_whole_one_takes(kind, tmp_path):
    rows = np.random.default_rng(0).normal(0, 1, (1000, 512)).astype("float32")
    sizes = []
    for codes in rows, rows.astype("float16"):
        engine_of(kind).write(tmp_path, codes, "cosine")
        sizes.append((tmp_path / "index.faiss").stat().st_size)
    assert sizes[1] < sizes[0] - 1.9 * rows.size


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_in_half_precision_grows(kind, make, pets, paint, monkeypatch):
    before = make(kind, embedder=HALF)
    assert before.codes.dtype == "float16"
    paint(pets / "dog/new.png", (1, 2, 3))
    if kind != "exact":
        monkeypatch.setattr(type(before.engine), "_write", lambda *_: pytest.fail("written anew"))
    index = make(kind, embedder=HALF)
    images = np.stack([index.picture(i, 8) for i in range(len(index))])
    np.testing.assert_array_equal(index.codes, embed(images).astype("float16"))
    assert index.engine.index.ntotal == len(index) == N + 1
    found = index.search(index.codes, 1, "cosine")
    np.testing.assert_array_equal(found.indices[:, 0], np.arange(N + 1))


@pytest.mark.parametrize("kind", ["exact", "hnsw"])
def test_whole_codes_are_rounded_and_not_made_anew(kind, make, capsys):
    whole = np.array(make(kind).codes)
    index = make(kind, embedder=BLIND._replace(precision="float16"))
    np.testing.assert_array_equal(index.codes, whole.astype("float16"))
    assert index.search(index.codes, 1, "cosine").indices[:, 0].tolist() == list(range(N))
    assert type(index.engine.index) in (faiss.IndexScalarQuantizer, faiss.IndexHNSWSQ)
    assert make(kind, embedder=BLIND._replace(precision="float16")).codes.dtype == "float16"
    assert "anew" not in capsys.readouterr().out


def test_what_was_rounded_is_made_anew_where_it_has_to_be_whole(make, capsys):
    make(embedder=HALF)
    index = make()
    images = np.stack([index.picture(i, 8) for i in range(N)])
    np.testing.assert_array_equal(index.codes, embed(images))
    assert "embedding anew" in capsys.readouterr().out


def test_what_was_interrupted_in_another_precision_is_not_gone_on_with(tmp_path):
    from dim.search.embedder import Embedder
    from dim.search.indexer import write_codes

    whole, made_by = Embedder(embed_grey, "one", 4, 2), {"encoder": "one"}
    calls = []

    def interrupted(images):
        if calls:
            raise KeyboardInterrupt
        calls.append(images)
        return embed_grey(images)

    with pytest.raises(KeyboardInterrupt):
        write_codes(tmp_path, recipe(greys_of()), whole._replace(embed=interrupted), made_by)
    write_codes(tmp_path, recipe(greys_of()), whole._replace(precision="float16"), made_by)
    codes = np.load(tmp_path / "codes.npy")
    assert codes.dtype == "float16" and codes[:, 0].tolist() == greys_of() and len(codes) > BATCH


def test_numbers_that_are_too_large_for_it_are_one_line(make, refused):
    large = HALF._replace(embed=lambda images: embed(images) * 1e4)
    with refused("pets cannot be indexed", "not finite", "--codes float32"):
        make(embedder=large)


@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_near_duplicates_are_those_of_the_rounded_codes(metric, codes):
    rows, _ = codes
    found, expected = (close_pairs(each, 0.05, metric) for each in (rows, rows.astype("float32")))
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.distances, expected.distances)
    assert [50, 59] in found.rows.tolist()
