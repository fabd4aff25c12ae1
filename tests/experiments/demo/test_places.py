"""The map: places, names and colours of the same images."""

import numpy as np
import pytest

from dim.names import printable
from experiments.demo import places as module
from experiments.demo.finder import Finder
from experiments.demo.places import Map, coloured, places


@pytest.fixture
def finder(index):
    return Finder(index, None, 16)


def test_a_sample_is_placed_named_and_coloured_by_class(finder, monkeypatch):
    monkeypatch.setattr(module, "MOST", 30)
    said, drawn = Map().drawn(finder, "class")
    assert "30 of 41 images" in said
    assert len(drawn["rows"]) == 30 and drawn["rows"] == sorted(set(drawn["rows"]))
    assert all(0 <= place <= 1 for place in drawn["x"] + drawn["y"])
    classes = [name for name, _ in drawn["legend"]]
    assert sorted(classes) == ["blotches", "stripes"]
    for row, name, ink in zip(drawn["rows"], drawn["names"], drawn["inks"], strict=True):
        assert name == printable(finder.index.name(row)) and name.startswith(classes[ink])


def test_what_is_in_none_of_the_folders_is_grey(finder):
    drawn = coloured(finder, list(range(len(finder.index))), "folder")
    inner = ["/inner/" in finder.index.name(row) for row in range(len(finder.index))]
    assert [ink == 0 for ink in drawn["inks"]] == inner and set(drawn["inks"]) == {0, -1}
    assert set(coloured(finder, [0, 1], None)["inks"]) == {-1}


def test_too_few_images_or_one_code_have_no_map(finder, declined):
    finder.index.codes = np.ones((41, 3), "float32")
    with declined("a map needs at least 5"):
        places(finder)
    finder.index.codes = finder.index.codes[:4]
    finder.index.names = finder.index.names[:4]
    with declined("a map needs at least 5"):
        places(finder)
