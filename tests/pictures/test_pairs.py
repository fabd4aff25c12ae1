"""Sheets of pairs pixel by pixel."""

import numpy as np
import pytest

from dim.pictures.pairs import PairLayout, pair_sheet

S, TILE = 8, 56


@pytest.mark.parametrize("count", [1, 4, 6])
def test_both_images_of_each_pair_are_where_they_belong(count):
    greys = np.arange(10, 10 + 2 * count, dtype="uint8").reshape(count, 2)
    pairs = np.broadcast_to(greys[:, :, None, None, None], (count, 2, S, S, 3))
    captions = [("a long name of a file.png", "b.png")] * count
    sheet, layout = pair_sheet(pairs, "title", captions, [0.1] * count, TILE), PairLayout(TILE)
    assert sheet.dtype == np.uint8 and sheet.shape == (*layout.size(count)[::-1], 3)
    for p in range(count):
        x, y = layout.corner(p)
        other = x + TILE + layout.seam
        assert (sheet[y : y + TILE, x : x + TILE] == greys[p, 0]).all()
        assert (sheet[y : y + TILE, other : other + TILE] == greys[p, 1]).all()
        below = sheet[y + TILE + 1 : y + TILE + layout.frame + 2 * layout.line]
        assert (below[:, x : x + TILE] < 128).any() and (below[:, other : other + TILE] < 128).any()
        assert (below[:, x + TILE : other] == 255).all()


def test_pairs_are_further_apart_than_their_images():
    layout = PairLayout(TILE)
    (first, _), (second, _) = layout.corner(0), layout.corner(1)
    assert second - first - 2 * TILE - layout.seam > 10 * layout.seam
