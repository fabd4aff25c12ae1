"""The nearest images of an index, of a part of it, and without near-duplicates."""

import io

import numpy as np
import pytest
from PIL import Image

from experiments.demo.finder import MOST_BYTES, Finder


@pytest.fixture
def finder(index):
    return Finder(index, None, 16)


def row_of(index, end):
    (row,) = [row for row in range(len(index)) if index.name(row).endswith(end)]
    return row


@pytest.mark.parametrize("metric", ["l2", "cosine"])
@pytest.mark.parametrize("part", ["", "stripes", "blotches/inner/"])
def test_the_nearest_are_those_of_all_distances_without_the_image_itself(finder, metric, part):
    own = row_of(finder.index, "blotches 9.png")
    codes = np.array(finder.index.codes, "float64")
    units = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    far = np.linalg.norm(codes - codes[own], axis=1) if metric == "l2" else 1 - units @ units[own]
    far[own] = np.inf
    inside = [row for row in range(len(codes)) if not part or f"{part.strip('/')}/" in finder.index.name(row)]
    expected = sorted((far[row], row) for row in inside if row != own)[:7]
    found = finder.nearest(codes[own].astype("float32"), metric, 7, own, part)
    assert [each.row for each in found] == [row for _, row in expected]
    np.testing.assert_allclose([each.distance for each in found], [d for d, _ in expected], atol=1e-4)


def test_a_part_that_is_smaller_than_wanted_is_all_there_is(finder):
    own = row_of(finder.index, "blotches 9.png")
    assert len(finder.nearest(finder.code_of(own), "cosine", 50, own, "blotches/inner/")) == 9
    assert len(finder.nearest(finder.code_of(own), "cosine", 50, None, "blotches/inner/")) == 10
    assert len(finder.nearest(finder.code_of(own), "cosine", 100)) == len(finder.index)


def test_parts_are_classes_and_the_folders_that_are_none(finder):
    assert list(finder.parts) == ["blotches", "stripes", "blotches/inner/"]
    assert list(finder.parts_by("folder")) == ["blotches/inner/"]
    assert {name: len(rows) for name, rows in finder.parts.items()}["stripes"] == 21


@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_near_duplicates_of_what_is_shown_are_hidden(finder, metric):
    index = finder.index
    own, copy = row_of(index, "stripes 15.png"), row_of(index, "zz copy.png")
    assert finder.nearest(finder.code_of(own), metric, 5, own)[0].row == copy
    found = finder.nearest(finder.code_of(own), metric, 5, own, apart=0.005)
    units = np.array(index.codes) / np.linalg.norm(index.codes, axis=1, keepdims=True)
    shown = units[[own, *(each.row for each in found)]]
    assert len(found) == 5 and copy not in [each.row for each in found]
    assert (1 - shown @ shown.T + np.eye(6)).min() > 0.005
    assert finder.nearest(finder.code_of(own), metric, 5, own, apart=2.0) == []


def test_what_does_not_fit_is_said(finder, declined):
    code = finder.code_of(0)
    for k in 0, -1, 101:
        with declined(f"{k} images cannot be shown"):
            finder.nearest(code, "l2", k)
    with declined("no class or folder ../\\n in"):
        finder.nearest(code, "l2", 3, only="../\n")
    for row in -1, len(finder.index):
        with declined(f"no image {row}"):
            finder.code_of(row)


def test_only_images_of_a_size_are_decoded(finder, declined):
    file = io.BytesIO()
    Image.new("L", (30, 20), 77).save(file, "PNG")
    assert (finder.seen(file.getvalue()) == 77).all() and finder.seen(file.getvalue()).shape == (16, 16, 3)
    with declined("cannot be read as an image"):
        finder.seen(b"%!PS-Adobe-3.0 EPSF-3.0\n")
    with declined("16,777,217 bytes"):
        finder.seen(bytes(MOST_BYTES + 1))
