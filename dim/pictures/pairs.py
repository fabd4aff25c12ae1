"""Pairs of images beside each other, many on one sheet."""

from collections.abc import Sequence

import numpy as np

from dim.pictures.grid import FAINT, INK, Layout, scaled, write_line

_COLUMNS = 4


def pair_sheet(
    pairs: np.ndarray, title: str, captions: Sequence[tuple[str, str]], distances: np.ndarray, tile: int = 112
) -> np.ndarray:
    """Draws pairs row by row, four in each, with both captions and the distance below, and a title above.

    Pairs are [P, 2, S, S, 3] uint8, with as many captions and distances; a tile is the side of each image as
    it is drawn, in pixels. Returns [height, width, 3] uint8.
    """
    layout = PairLayout(tile)
    sheet, draw = layout.begin(layout.size(len(pairs)), title)
    for p, (pair, names, distance) in enumerate(zip(pairs, captions, distances, strict=True)):
        x, y = layout.corner(p)
        for left, image, name in zip((x, x + tile + layout.seam), pair, names, strict=True):
            sheet.paste(scaled(image, tile), (left, y))
            write_line(draw, (left, layout.below(y)), name, layout.small, INK, tile)
        write_line(draw, (x, layout.below(y, 1)), f"{distance:.3g}", layout.small, FAINT, 2 * tile)
    return np.asarray(sheet)


class PairLayout(Layout):
    """Where things are on a sheet of pairs whose images have `tile` pixels a side."""

    def __init__(self, tile: int):
        super().__init__(tile)
        self.seam = max(1, tile // 56)
        self.width = 2 * tile + self.seam + self.gutter

    def size(self, P: int) -> tuple[int, int]:
        """Width and height of the sheet."""
        _, y = self.corner(_COLUMNS * -(-P // _COLUMNS))
        return 2 * self.margin + _COLUMNS * self.width - self.gutter, y

    def corner(self, p: int) -> tuple[int, int]:
        """Left upper pixel of pair p."""
        row, column = divmod(p, _COLUMNS)
        height = self.tile + 2 * self.line + self.gap
        return self.margin + column * self.width, self.top + row * height
