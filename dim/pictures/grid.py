"""Neighbour pictures: uint8 in, uint8 out; the same routine serves files and TensorBoard."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from imageio.v3 import imwrite
from PIL import Image, ImageDraw, ImageFont

from dim.files import replace
from dim.names import printable
from dim.pictures.fonts import font_for

HIT, MISS = (0, 158, 115), (213, 94, 0)  # told apart by colour-blind eyes too
PAPER, INK, FAINT = (255, 255, 255), (25, 25, 25), (110, 110, 110)


def neighbour_grid(
    queries: np.ndarray,
    neighbours: np.ndarray,
    title: str,
    query_captions: Sequence[str],
    captions: Sequence[Sequence[str]],
    distances: np.ndarray,
    hits: np.ndarray | None = None,
    tile: int = 112,
) -> np.ndarray:
    """Draws each query, a gutter, and its neighbours from the nearest on, below a title.

    Under each neighbour stand its caption and its distance. With `hits` a neighbour is framed green
    where true; where false the frame is orange and the caption too. Returns [height, width, 3] uint8.

    Args:
        queries, neighbours: [Q, S, S, 3] and [Q, k, S, S, 3] uint8.
        query_captions, captions: Q and Q × k strings.
        distances: [Q, k].
        hits: [Q, k] bool, or None where nothing is known of the classes.
        tile: side of each image in the picture, in pixels.
    """
    Q, k = neighbours.shape[:2]
    layout = Layout(tile)
    sheet, draw = layout.begin(layout.size(Q, k), title)
    for q in range(Q):
        x, y = layout.corner(q, None)
        sheet.paste(scaled(queries[q], tile), (x, y))
        write_line(draw, (x, layout.below(y)), query_captions[q], layout.bold, INK, tile)
        for i in range(k):
            x, y = layout.corner(q, i)
            ink = INK if hits is None or hits[q, i] else MISS
            if hits is not None:
                edge, colour = layout.frame, HIT if hits[q, i] else MISS
                draw.rectangle((x - edge, y - edge, x + tile + edge - 1, y + tile + edge - 1), colour)
            sheet.paste(scaled(neighbours[q, i], tile), (x, y))
            write_line(draw, (x, layout.below(y)), captions[q][i], layout.small, ink, tile)
            write_line(draw, (x, layout.below(y, 1)), f"{distances[q, i]:.3g}", layout.small, FAINT, tile)
    return np.asarray(sheet)


def found_grid(
    dataset, queries, bank, found, title: str, captions: Sequence[str] = (), tile: int = 112
) -> np.ndarray:
    """`neighbour_grid` of what was found for some images of a data set in one of its splits.

    Args:
        dataset: a `dim.data.Dataset`, which has the captions.
        queries, bank: Q and N images, as `dim.data.Split`.
        found: `dim.search.engine.Neighbours` in the bank.
        captions: Q strings below the queries; by default their classes or names.
    """
    images = np.asarray(queries.images), bank.images[found.indices]
    below = {
        "query_captions": captions or [dataset.caption(queries, i) for i in range(len(queries))],
        "captions": [[dataset.caption(bank, i) for i in row] for row in found.indices],
    }
    hits = same_class(queries, bank, found)
    return neighbour_grid(*images, title, **below, distances=found.distances, hits=hits, tile=tile)


def same_class(queries, bank, found) -> np.ndarray | None:
    """Which of the neighbours found have the class of their query: [Q, k] bool, or None without labels."""
    return None if queries.labels is None else bank.labels[found.indices] == queries.labels[:, None]


class Layout:
    """Where things are in a neighbour grid whose images have `tile` pixels a side."""

    def __init__(self, tile: int):
        self.tile, self.frame = tile, max(2, tile // 28)
        self.margin, self.gap, self.gutter = tile // 7, tile // 8, tile // 3
        self.line, font = max(11, tile // 7), max(9, tile // 8)
        self.small, self.bold, self.title = map(ImageFont.load_default, (font, font + 1, font + 3))
        self.top = 2 * self.margin + self.line + 6

    def begin(self, size: tuple[int, int], title: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        """A sheet of this width and height with its title, and what draws on it."""
        sheet = Image.new("RGB", size, PAPER)
        draw = ImageDraw.Draw(sheet)
        write_line(draw, (self.margin, self.margin), title, self.title, INK, size[0] - 2 * self.margin)
        return sheet, draw

    def size(self, Q: int, k: int) -> tuple[int, int]:
        """Width and height of the sheet."""
        x, y = self.corner(Q, k)
        return x - self.gap + self.margin, y

    def corner(self, q: int, i: int | None) -> tuple[int, int]:
        """Left upper pixel of neighbour i of query q, or of the query itself for i = None."""
        y = self.top + q * (self.tile + 2 * self.line + self.gap)
        right = 0 if i is None else self.tile + self.gutter + i * (self.tile + self.gap)
        return self.margin + right, y

    def below(self, y: int, line: int = 0) -> int:
        """Where a line of text stands under an image that begins at y."""
        return y + self.tile + self.frame + line * self.line


def save_picture(file: Path, pixels: np.ndarray) -> None:
    """Replaces an image file by [height, width, 3] uint8."""
    replace(file, lambda file: imwrite(file, pixels))


def scaled(image: np.ndarray, tile: int) -> Image.Image:
    """An image [S, S, 3] uint8 at the size of a tile."""
    return Image.fromarray(image).resize((tile, tile), Image.Resampling.BICUBIC)


def write_line(draw: ImageDraw.ImageDraw, corner, text: str, font, ink, width: int) -> None:
    """Writes one line, cut with an ellipsis where it would be wider than `width` pixels."""
    text = printable(text[: width + 1])[: width + 1]  # measuring a novel takes minutes
    text, font = font_for(text, font)
    end = "…" if draw.textlength(text, font) > width else ""
    while text and draw.textlength(text + end, font) > width:
        text = text[:-1]
    draw.text(corner, text + end, ink, font)
