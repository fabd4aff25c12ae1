"""FAISS indexes against exact search: what they find, how exact their distances are, how well they save."""

from types import SimpleNamespace

import faiss
import numpy as np
import pytest

from dim.search.engine import engine_of
from dim.search.nearest import nearest, recall

N, D, K, K_OF_RECALL = 3000, 12, 7, 10
METRICS = "l2", "cosine"


def codes(seed=0):
    """Forty clusters, with a few duplicates."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 3, (40, D))[rng.integers(0, 40, N)] + rng.normal(0, 1, (N, D))
    rows[50:60] = rows[50]
    return rows.astype("float32")


@pytest.fixture
def written(tmp_path):
    def written(kind, metric, rows):
        np.save(tmp_path / "codes.npy", rows)
        mapped = np.load(tmp_path / "codes.npy", mmap_mode="r")
        engine_of(kind).write(tmp_path, mapped, metric)
        assert sorted(f.name for f in tmp_path.iterdir()) == ["codes.npy", "index.faiss"]
        return engine_of(kind)(tmp_path, mapped, metric)

    return written


@pytest.mark.parametrize("metric", METRICS)
def test_an_exact_index_finds_what_exact_search_finds(metric, written):
    rows = codes()
    index = written("exact", metric, rows)
    own = np.array([3, 55, 2999])
    for these, of in ((codes(1)[:5], None), (rows[own], own)):
        found, expected = index.search(these, K, of), nearest(these, rows, K, metric, of)
        np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-5)
    assert not (found.indices == own[:, None]).any()
    assert recall(index) == 1.0 and index.metric == metric


def test_an_exact_index_by_cosine_can_be_used_without_this_library(written, tmp_path):
    rows = codes()
    written("exact", "cosine", rows)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines, indices = faiss.read_index(str(tmp_path / "index.faiss")).search(unit[:4], 2)
    assert indices[:, 0].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(cosines[:, 0], 1, rtol=1e-5)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ["hnsw", "ivf", "ivfpq"])
def test_approximate_indexes_find_most_and_measure_exactly(kind, metric, written):
    rows = codes()
    index = written(kind, metric, rows)
    assert 0.95 < recall(index) <= 1
    found = index.search(codes(1)[:20], K)
    for query, indices, distances in zip(codes(1)[:20], *found, strict=True):
        every = nearest(query[None], rows[indices], K, metric)
        np.testing.assert_allclose(distances, every.distances[0], rtol=1e-5)


def test_an_index_that_looks_too_little_is_found_out(written):
    rows = np.random.default_rng(0).normal(0, 1, (N, D)).astype("float32")
    index = written("ivf", "l2", rows)
    assert recall(index) > 0.95
    index.index.nprobe = 1
    assert recall(index) < 0.9


@pytest.mark.parametrize("count", [1, 2, 70])
@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf", "ivfpq"])
def test_few_codes_will_do(kind, count, written):
    rows = codes()[:count]
    index = written(kind, "cosine", rows)
    assert np.allclose(index.search(rows, 1).distances, 0, atol=1e-6)
    assert recall(index) == 1.0


def test_what_is_missing_has_no_index_and_lies_infinitely_far(written):
    rows = codes()
    index = written("ivf", "l2", rows)
    index.index.nprobe = 1
    found = index.search(rows[:3], N)
    assert (found.indices[:, -1] == -1).all() and np.isinf(found.distances[:, -1]).all()
    assert (np.diff(found.distances[:, :5]) >= 0).all()


@pytest.mark.parametrize("first", [10**12, -(10**12)])
def test_an_index_that_knows_codes_which_are_not_there_is_refused(first, tmp_path):
    rows = codes()[:70]
    index = faiss.IndexIVFFlat(faiss.IndexFlat(D), D, 1)
    index.train(rows)
    index.add_with_ids(rows, first + np.arange(70))
    faiss.write_index(index, str(tmp_path / "index.faiss"))
    with pytest.raises(ValueError, match=r"knows a code .* of 70"):
        engine_of("ivf")(tmp_path, rows, "l2").search(rows[:3], 5)


@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf", "ivfpq"])
def test_codes_that_are_not_finite_are_refused(kind, tmp_path):
    rows = codes()
    rows[2000, 3] = np.nan
    for metric in METRICS:
        with pytest.raises(ValueError, match="not finite"):
            engine_of(kind).write(tmp_path, rows, metric)


def test_a_missing_or_damaged_file_is_one_line(tmp_path, refused):
    with refused(tmp_path / "index.faiss", "make the index anew"):
        engine_of("exact")(tmp_path, codes(), "l2")
    (tmp_path / "index.faiss").write_bytes(b"nonsense" * 10)
    with refused(tmp_path / "index.faiss", "make the index anew"):
        engine_of("exact")(tmp_path, codes(), "l2")


def test_a_place_that_cannot_be_written_is_one_line(tmp_path, refused):
    with refused("cannot write", "nowhere"):
        engine_of("hnsw").write(tmp_path / "nowhere", codes(), "l2")


@pytest.mark.parametrize(("kind", "least"), [("exact", 9.99), ("hnsw", 9.5), ("ivf", 9.5), ("ivfpq", 9.5)])
def test_codes_that_have_nearly_collapsed_are_still_told_apart(kind, least, written, tmp_path):
    """At D = 256, by cosine distances of about 1e-5; the truth in float64, by differences."""
    rng = np.random.default_rng(0)
    x = 1 / 16 + rng.normal(0, np.sqrt(1e-5 / 256), (1200, 256))
    rows, queries = x[:1000].astype("float32"), x[1000:].astype("float32")
    index = written(kind, "cosine", rows)
    found = index.search(queries, 10).indices
    assert faiss.read_index(str(tmp_path / "index.faiss")).metric_type == faiss.METRIC_INNER_PRODUCT
    unit, asked = (y.astype("float64") / np.linalg.norm(y, axis=1, keepdims=True) for y in (rows, queries))
    truth = [np.square(unit - query).sum(axis=1).argsort()[:10] for query in asked]
    assert np.mean([len(set(f) & set(t)) for f, t in zip(found, truth, strict=True)]) > least


@pytest.mark.parametrize("found", [0, 4, 10])
def test_the_code_itself_is_not_among_what_was_found(found, written):
    """An index that finds the code itself and so many of its ten nearest: a recall of as many tenths."""
    rows = codes()[100:160]

    def search(queries, wanted):
        assert wanted == K_OF_RECALL + 1
        indices = nearest(queries, rows, wanted).indices
        indices[:, found + 1 :] = -1
        return None, indices

    index = written("exact", "l2", rows)
    index.index = SimpleNamespace(search=search)
    assert recall(index, K_OF_RECALL) == pytest.approx(found / K_OF_RECALL)


def test_product_quantisation_keeps_32_bytes_of_a_code_and_compares_candidates_exactly(written, tmp_path):
    rows = np.random.default_rng(0).normal(0, 1, (N, 64)).astype("float32")
    index = written("ivfpq", "l2", rows)
    assert (tmp_path / "index.faiss").stat().st_size < 0.5 * rows.nbytes
    assert index.index.pq.code_size == 32
    with_comparison = recall(index)
    index.compared = 1
    assert recall(index) < with_comparison - 0.05
