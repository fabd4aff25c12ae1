"""Groups of duplicates: of the same bytes, of the same pixels, near; and which image of each to keep."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from dim.search.duplicates import Pairs
from dim.search.groups import Facts, Group, facts_of, groups_of


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), "uint8")


def names(*names):
    return SimpleNamespace(name=lambda row: names[row])


def pairs(*rows_and_distances):
    rows, distances = zip(*rows_and_distances, strict=True) if rows_and_distances else ((), ())
    return Pairs(np.array(rows, "int64").reshape(-1, 2), np.array(distances, "float32"))


def test_facts_are_the_size_the_bytes_and_digests_of_file_and_pixels(noise, tmp_path):
    folder = tmp_path / "pets"
    folder.mkdir()
    Image.fromarray(noise).save(folder / "a.png")
    shutil.copy(folder / "a.png", folder / "b.png")
    Image.fromarray(noise).save(folder / "c.bmp")
    Image.fromarray(noise[::-1]).save(folder / "d.png")
    (folder / "e.png").write_bytes((folder / "a.png").read_bytes()[:90])
    a, b, c, d, e = (facts_of(str(folder), name) for name in ("a.png", "b.png", "c.bmp", "d.png", "e.png"))
    assert (a.width, a.height, a.bytes) == (30, 20, (folder / "a.png").stat().st_size)
    assert a == b and a.content != c.content and a.pixels == c.pixels != d.pixels
    assert (e.width, e.bytes, e.pixels) == (0, 90, "") and e.content
    assert facts_of(str(folder), "gone.png") == Facts()


def test_an_image_stored_lying_and_turned_by_exif_shows_the_same(noise, tmp_path):
    folder = tmp_path / "pets"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(noise).save(folder / "a.png")
    Image.fromarray(noise[::-1, ::-1]).save(folder / "b.png", exif=exif)
    assert facts_of(str(folder), "a.png").pixels == facts_of(str(folder), "b.png").pixels


def test_pairs_connect_to_groups_the_largest_first_and_the_best_is_kept():
    facts = dict(enumerate([Facts(4, 4, 9), Facts(9, 9, 5), Facts(9, 9, 7), Facts(2, 2), Facts(3, 3)]))
    found = groups_of(names(*"abcde"), pairs(((3, 4), 0.1), ((0, 1), 0.2), ((1, 2), 0.5)), facts)
    assert found == [
        Group("near", [2, 1, 0], pytest.approx(0.5)),
        Group("near", [4, 3], pytest.approx(0.1)),
    ]


def test_among_equals_the_first_name_is_kept():
    facts = {0: Facts(4, 4, 9, "x", "p"), 1: Facts(4, 4, 9, "x", "p")}
    assert groups_of(names("b", "a"), pairs(((0, 1), 0.0)), facts) == [Group("same bytes", [1, 0], 0.0)]


def test_the_same_bytes_and_the_same_pixels_are_groups_of_their_own_and_named_once():
    """0 and 1 are one file, 2 has their pixels, 3 is near 2; 4 and 5 have nothing but the same pixels."""
    same = [
        Facts(4, 4, 9, "x", "p"),
        Facts(4, 4, 9, "x", "p"),
        Facts(4, 4, 8, "y", "p"),
        Facts(4, 4, 7, "z", "q"),
    ]
    facts = dict(enumerate([*same, Facts(1, 1, 1, "v", "r"), Facts(1, 1, 1, "w", "r")]))
    close = pairs(((0, 1), 0), ((0, 2), 0), ((1, 2), 0), ((4, 5), 0), ((2, 3), 0.3))
    found = groups_of(names(*"abcdef"), close, facts)
    assert [(group.kind, group.rows) for group in found] == [
        ("near", [0, 1, 2, 3]),
        ("same pixels", [0, 1, 2]),
        ("same bytes", [0, 1]),
        ("same pixels", [4, 5]),
    ]


def test_files_that_are_gone_are_not_the_same():
    assert groups_of(names("a", "b"), pairs(((0, 1), 0.0)), {0: Facts(), 1: Facts()})[0].kind == "near"


def test_without_pairs_there_are_no_groups():
    assert groups_of(names(), pairs(), {}) == []
