"""Pairs of images beside each other, many on one sheet."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from dim.pictures.grid import FAINT, INK, PAPER, Layout, scaled, write_line

_COLUMNS = 4


def pair_sheet(
    pairs: np.ndarray,
    title: str,
    captions: Sequence[tuple[str, str]],
    distances: Sequence[float],
    tile: int = 112,
) -> np.ndarray:
    """Draws pairs row by row, four in each, with both captions and the distance below.

    Args:
        pairs: [P, 2, S, S, 3] uint8.
        title: a line above.
        captions: P pairs of strings.
        distances: [P].
        tile: side of each image in the picture, in pixels.

    Returns:
        [height, width, 3] uint8.
    """
    sheet = PairLayout(tile)
    picture = Image.new("RGB", sheet.size(len(pairs)), PAPER)
    draw = ImageDraw.Draw(picture)
    look = sheet.look
    write_line(draw, (look.margin, look.margin), title, look.title, INK, picture.width - 2 * look.margin)
    for p, (pair, names, distance) in enumerate(zip(pairs, captions, distances, strict=True)):
        x, y = sheet.corner(p)
        for side, (image, name) in enumerate(zip(pair, names, strict=True)):
            left = x + side * (tile + sheet.seam)
            picture.paste(scaled(image, tile), (left, y))
            write_line(draw, (left, y + tile + look.frame), name, look.small, INK, tile)
        below = y + tile + look.frame + look.line
        write_line(draw, (x, below), f"{distance:.3g}", look.small, FAINT, 2 * tile)
    return np.asarray(picture)


class PairLayout:
    """Where things are on a sheet of pairs whose images have `tile` pixels a side."""

    def __init__(self, tile: int):
        self.tile, self.look = tile, Layout(tile)
        self.seam = max(1, tile // 56)
        self.width = 2 * tile + self.seam + self.look.gutter

    def size(self, P: int) -> tuple[int, int]:
        """Width and height of the sheet."""
        _, y = self.corner(_COLUMNS * -(-P // _COLUMNS))
        return 2 * self.look.margin + _COLUMNS * self.width - self.look.gutter, y

    def corner(self, p: int) -> tuple[int, int]:
        """Left upper pixel of pair p."""
        row, column = divmod(p, _COLUMNS)
        height = self.tile + 2 * self.look.line + self.look.gap
        return self.look.margin + column * self.width, self.look.top + row * height
