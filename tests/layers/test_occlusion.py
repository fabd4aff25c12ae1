"""A grey square at a random place, the same size for all, and nothing else."""

import keras
import numpy as np
import pytest

from dim.layers.occlusion import GREY, Occlusion

B, H, W = 40, 16, 24


def images():
    return np.random.default_rng(0).integers(0, 100, (B, H, W, 3), "uint8")


@pytest.mark.parametrize("side", [0.25, 0.5])
def test_a_rectangle_of_the_stated_size_is_grey_and_the_rest_untouched(side):
    occluded = keras.ops.convert_to_numpy(Occlusion(side)(images()))
    assert GREY == 128  # the middle of all values
    assert occluded.dtype == np.uint8
    for before, after in zip(images(), occluded, strict=True):
        hidden = (after == GREY).all(axis=-1)
        rows, columns = hidden.any(axis=1), hidden.any(axis=0)
        assert (rows.sum(), columns.sum()) == (side * H, side * W)
        np.testing.assert_array_equal(hidden, rows[:, None] & columns[None, :])
        assert (np.diff(np.flatnonzero(rows)) == 1).all() and (np.diff(np.flatnonzero(columns)) == 1).all()
        np.testing.assert_array_equal(after[~hidden], before[~hidden])


def test_the_places_differ_and_reach_every_border():
    hidden = (keras.ops.convert_to_numpy(Occlusion(0.5)(images())) == GREY).all(axis=-1)
    first_rows = [np.flatnonzero(h.any(axis=1))[0] for h in hidden]
    first_columns = [np.flatnonzero(h.any(axis=0))[0] for h in hidden]
    assert min(first_rows) == 0 and max(first_rows) == H // 2
    assert len(set(first_columns)) > 5
