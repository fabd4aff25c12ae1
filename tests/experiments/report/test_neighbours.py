"""The section on neighbours, of sets smaller than its pictures too."""

import numpy as np
import pytest

from dim.data import Dataset, Split
from experiments.report import neighbours as module
from experiments.report.neighbours import neighbours


@pytest.fixture
def grids(monkeypatch):
    """What the grids are drawn from, in place of drawing them."""
    grids = []

    def neighbour_grid(queries, neighbours, title, **options):
        grids.append({"queries": queries, "neighbours": neighbours, "title": title, **options})
        return np.zeros((8, 8, 3), "uint8")

    monkeypatch.setattr("dim.pictures.grid.neighbour_grid", neighbour_grid)
    return grids


def split(first, N, labelled):
    """Images whose pixels all have the image's number, in classes by turns."""
    images = np.zeros((N, 4, 4, 3), "uint8") + np.arange(first, first + N, dtype="uint8")[:, None, None, None]
    return Split(images, np.arange(N) % 2 if labelled else None, [f"{i}.png" for i in range(N)])


def test_two_metrics_ask_the_same_queries_and_find_the_nearest(grids):
    dataset = Dataset("many", split(0, 30, True), split(100, 20, True), ["even", "odd"])
    angles = np.linspace(0, 1, 30)
    train = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    html = neighbours(dataset, train, train[:20])
    l2, cosine = grids
    assert l2["title"].startswith("by L2") and cosine["title"].startswith("by cosine")
    np.testing.assert_array_equal(l2["queries"], cosine["queries"])
    asked = l2["queries"][:, 0, 0, 0] - 100
    assert len(set(asked)) == module.COUNT
    for grid in grids:
        np.testing.assert_array_equal(grid["neighbours"][:, 0, 0, 0, 0], asked)
        assert grid["hits"][:, 0].all() and grid["neighbours"].shape[1] == module.K
    assert "Green frame" in html and html.count("<img") == 2


def test_fewer_images_than_places(grids):
    dataset = Dataset("few", split(0, 3, False), split(100, 1, False), [])
    html = neighbours(dataset, np.eye(3), np.eye(3)[:1])
    assert grids[0]["neighbours"].shape[:2] == (1, 3) and grids[0]["hits"] is None
    assert "among 3 training images" in html and "no labels" in html


def test_each_metric_finds_its_own_neighbours(grids):
    """Two training images: one near in angle, and one near in place."""
    dataset = Dataset("two", split(0, 2, True), split(100, 1, True), ["even", "odd"])
    neighbours(dataset, np.array([[9.0, 0.0], [1.0, 0.9]]), np.array([[1.0, 0.0]]))
    l2, cosine = (grid["neighbours"][0, :, 0, 0, 0].tolist() for grid in grids)
    assert l2 == [1, 0] and cosine == [0, 1]
    assert [grid["hits"][0].tolist() for grid in grids] == [[False, True], [True, False]]
