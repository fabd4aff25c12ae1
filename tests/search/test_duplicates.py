"""Pairs against all comparisons, one by one."""

from functools import cache

import numpy as np
import pytest

from dim.search import duplicates
from dim.search.duplicates import close_pairs, pairs_by
from dim.search.engine import Engine
from dim.search.nearest import nearest

N, D = 40, 6


def codes():
    rows = np.random.default_rng(0).normal(1, 1, (N, D)).astype("float32")
    rows[[7, 30, 39]] = rows[2]
    rows[11] = rows[10] + 1e-3
    rows[20] = 0
    rows[21] = 0
    return 50 * rows


@cache
def distance(metric, i, j):
    """Of two codes."""
    a, b = codes()[[i, j]].astype("float64")
    if metric == "l2":
        return np.linalg.norm(a - b)
    if not (a.any() and b.any()):
        return 1.0
    return np.linalg.norm(a / np.linalg.norm(a) - b / np.linalg.norm(b)) ** 2 / 2


@pytest.mark.parametrize("blocks", [(256, 2**16), (3, 5), (5, 3), (1, 1)])
@pytest.mark.parametrize(
    ("metric", "threshold"),
    [("l2", 0), ("l2", 60), ("cosine", 0), ("cosine", 0.1), ("cosine", 1.0), ("l2", 1e4)],
)
def test_pairs_are_those_of_comparing_each_with_each(metric, threshold, blocks, monkeypatch):
    monkeypatch.setattr(duplicates, "_QUERIES", blocks[0])
    monkeypatch.setattr(duplicates, "_BANK", blocks[1])
    expected = {
        (i, j): distance(metric, i, j)
        for j in range(N)
        for i in range(j)
        if distance(metric, i, j) <= threshold + 1e-9
    }
    found = close_pairs(codes(), threshold, metric)
    assert {tuple(pair) for pair in found.rows.tolist()} == set(expected)
    assert len(found.rows) == len(expected) > 0
    assert (np.diff(found.distances) >= 0).all()
    for pair, value in zip(found.rows.tolist(), found.distances, strict=True):
        assert value == pytest.approx(expected[tuple(pair)], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("blocks", [(256, 2**16), (3, 5), (5, 3)])
@pytest.mark.parametrize(("metric", "threshold"), [("l2", 60), ("cosine", 0.1), ("cosine", 1.0)])
def test_across_two_sets_each_is_compared_with_each(metric, threshold, blocks, monkeypatch):
    monkeypatch.setattr(duplicates, "_QUERIES", blocks[0])
    monkeypatch.setattr(duplicates, "_BANK", blocks[1])
    ones, others = codes(), codes()[::-1][:17].copy()
    expected = {
        (i, j): distance(metric, i, N - 1 - j)
        for i in range(N)
        for j in range(len(others))
        if distance(metric, i, N - 1 - j) <= threshold + 1e-9
    }
    found = close_pairs(ones, threshold, metric, others)
    assert {tuple(pair) for pair in found.rows.tolist()} == set(expected)
    assert len(found.rows) == len(expected) > 17
    for pair, value in zip(found.rows.tolist(), found.distances, strict=True):
        assert value == pytest.approx(expected[tuple(pair)], rel=1e-4, abs=1e-6)


class Asked(Engine):
    """Exact search that knows how often it was asked, and finds no more than so many."""

    def __init__(self, rows, metric, most=10**9):
        super().__init__(None, rows, metric)
        self.most, self.asked = most, []

    @staticmethod
    def write(*_):
        raise NotImplementedError

    def search(self, queries, k, own=None):
        self.asked.append((len(queries), k))
        found = nearest(queries, self.codes, k, self.metric, own)
        found.indices[:, self.most :], found.distances[:, self.most :] = -1, np.inf
        return found


@pytest.mark.parametrize("first", [1, 2, 16])
@pytest.mark.parametrize(
    ("metric", "threshold"), [("l2", 0), ("l2", 60), ("cosine", 0.1), ("cosine", 1.0), ("l2", 1e4)]
)
def test_pairs_of_an_engine_that_finds_all_are_all_pairs(metric, threshold, first, monkeypatch):
    monkeypatch.setattr(duplicates, "_FIRST", first)
    monkeypatch.setattr(duplicates, "_QUERIES", 7)
    engine = Asked(codes(), metric)
    found, expected = pairs_by(engine, threshold), close_pairs(codes(), threshold, metric)
    np.testing.assert_array_equal(np.sort(found.rows, axis=0), np.sort(expected.rows, axis=0))
    np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-5, atol=1e-6)
    assert {tuple(pair) for pair in found.rows.tolist()} == {tuple(pair) for pair in expected.rows.tolist()}
    assert engine.asked[0] == (7, min(first, N - 1))
    ones = codes()[::-1][:17].copy()
    across, expected = pairs_by(engine, threshold, ones), close_pairs(ones, threshold, metric, codes())
    assert {tuple(pair) for pair in across.rows.tolist()} == {tuple(pair) for pair in expected.rows.tolist()}


def test_what_an_engine_misses_is_no_pair_and_too_many_are_refused():
    found = pairs_by(Asked(codes(), "l2", most=1), 1e4)
    assert 0 < len(found.rows) < N and (found.rows >= 0).all()
    with pytest.raises(ValueError, match="more than 100 pairs"):
        pairs_by(Asked(codes(), "l2"), 1e4, most=100)
    with pytest.raises(ValueError, match="not negative"):
        pairs_by(Asked(codes(), "l2"), -1)
    assert len(pairs_by(Asked(codes()[:1], "l2"), 1.0).rows) == 0
    pairs = len(close_pairs(codes(), 0.1).rows)
    assert len(pairs_by(Asked(codes(), "cosine"), 0.1, most=pairs).rows) == pairs


def test_codes_may_lie_on_disk(tmp_path):
    np.save(tmp_path / "codes.npy", codes())
    found = close_pairs(np.load(tmp_path / "codes.npy", mmap_mode="r"), 0.0)
    assert [2, 7] in found.rows.tolist() and [20, 21] not in found.rows.tolist()


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_codes_have_no_pairs(count):
    found = close_pairs(codes()[:count], 10.0, "l2")
    assert found.rows.shape == (0, 2) and found.distances.shape == (0,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": -1}, "not negative"),
        ({"threshold": float("nan")}, "finite"),
        ({"threshold": 2.0, "most": 100}, "more than 100 pairs"),
        ({"codes": np.full((4, D), np.inf)}, "not finite"),
    ],
)
def test_what_cannot_be_answered_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        close_pairs(**{"codes": codes(), "threshold": 0.1, **change})


@pytest.mark.parametrize("blocks", [(256, 2**16), (3, 5)])
def test_just_as_many_pairs_as_are_allowed_are_returned(blocks, monkeypatch):
    monkeypatch.setattr(duplicates, "_QUERIES", blocks[0])
    monkeypatch.setattr(duplicates, "_BANK", blocks[1])
    count = len(close_pairs(codes(), 0.1).rows)
    assert len(close_pairs(codes(), 0.1, most=count).rows) == count > 6
    with pytest.raises(ValueError, match=f"more than {count - 1} pairs"):
        close_pairs(codes(), 0.1, most=count - 1)
