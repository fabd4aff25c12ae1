"""The nearest images of an index by number or by picture, of a class or folder, without near-duplicates."""

import io
from pathlib import PurePosixPath
from threading import Lock
from typing import NamedTuple

import numpy as np

from dim.data.decode import decode_image
from dim.data.decoding import image_or_reason
from dim.errors import DimError
from dim.names import printable
from dim.search.engine import Metric
from dim.search.index import Index
from dim.search.nearest import comparable, distances_to

MOST_BYTES = 2**24  # of an image that is searched for
MOST_FOUND = 100
_CANDIDATES = 4096  # that are looked at where near-duplicates are hidden


class Found(NamedTuple):
    """An image of the index and how far it is."""

    row: int
    distance: float


class Finder:
    """What the page asks: an index, and the encoder that its codes are of.

    `parts` are the classes, and the folders that are no class, with a slash at their end: of each the rows
    [M] in it, by what it is called in print.
    """

    def __init__(self, index: Index, encoder, image_size: int):
        self.index, self.encoder, self.image_size = index, encoder, image_size
        self.parts = _parts(index)
        self._alone = Lock()

    def seen(self, image: bytes) -> np.ndarray:
        """What the encoder sees of an image file, [S, S, 3] uint8; DimError if it is none, or too large."""
        if len(image) > MOST_BYTES:
            raise DimError(
                f"an image has {len(image):,} bytes, and may have {MOST_BYTES:,}; take a smaller one"
            )
        with self._alone:  # an image as it is decoded may take a gigabyte
            pixels = image_or_reason(lambda file: decode_image(file, self.image_size), io.BytesIO(image))
        if isinstance(pixels, str):
            raise DimError(f"this cannot be read as an image ({printable(pixels)}); take another")
        return pixels

    def code(self, pixels: np.ndarray) -> np.ndarray:
        """The code [D] of an image [S, S, 3] uint8."""
        from dim.encoders.embedding import embed_batch

        with self._alone:
            return embed_batch(self.encoder, pixels[None])[0]

    def code_of(self, row: int) -> np.ndarray:
        """The code [D] of an image of the index; DimError if there is none of this number."""
        if type(row) is not int or not 0 <= row < len(self.index):
            raise DimError(f"no image {row}; there are 0 to {len(self.index) - 1:,}")
        return np.asarray(self.index.codes[row])

    def parts_by(self, what: str | None) -> dict[str, np.ndarray]:
        """Of `parts` those by `class` or by `folder`, or none."""
        return {name: rows for name, rows in self.parts.items() if what == _kind(name)}

    def nearest(
        self,
        code: np.ndarray,
        metric: Metric,
        k: int,
        own: int | None = None,
        only: str = "",
        apart: float | None = None,
    ) -> list[Found]:
        """The k nearest to a code [D], nearest first, or fewer where there are no more.

        Args:
            own: the row that is the image itself and must not be found.
            only: of `parts`; empty for all.
            apart: what is as near as this, by cosine, to the image or to one found before is left out.

        Raises DimError if k or the part does not fit.
        """
        if type(k) is not int or not 0 < k <= MOST_FOUND:
            raise DimError(f"{k} images cannot be shown; take 1 to {MOST_FOUND}")
        if only and only not in self.parts:
            raise DimError(f"no class or folder {printable(only)} in this index")
        rows = self.parts[only] if only else None
        held = len(self.index) if rows is None else len(rows)
        wanted = k if apart is None else 4 * k
        while True:
            found = self._candidates(code, metric, min(wanted, held), own, rows)
            if apart is not None:
                found = self._spread(code, found, apart)
            if len(found) >= k or wanted >= min(held, _CANDIDATES):
                return found[:k]
            wanted *= 4

    def _candidates(self, code, metric, k, own, rows) -> list[Found]:
        """The k nearest, or as many as there are, the image itself not among them."""
        held = len(self.index) if rows is None else len(rows)
        found = self.index.search(code[None], min(k + 1, held), metric, among=rows)
        pairs = zip(*(part[0].tolist() for part in found), strict=True)
        return [Found(*pair) for pair in pairs if pair[0] >= 0 and pair[0] != own][:k]

    def _spread(self, code: np.ndarray, found: list[Found], apart: float) -> list[Found]:
        shown, directions = [], [comparable(code[None], "cosine")[0]]
        for each in found:
            direction = comparable(self.index.codes[each.row][None], "cosine")[0]
            if distances_to(direction, np.stack(directions), "cosine").min() > apart:
                shown.append(each)
                directions.append(direction)
        return shown


def _kind(name: str) -> str:
    return "folder" if name.endswith("/") else "class"


def _parts(index: Index) -> dict[str, np.ndarray]:
    classes, folders = {}, {}
    for row, label in enumerate(index.labels.to_pylist()):
        if label is not None:
            classes.setdefault(printable(label), []).append(row)
    for row, name in enumerate(index.names.to_pylist()):
        folders.setdefault(name.rpartition("/")[0], []).append(row)
    trees = {}
    for folder, rows in folders.items():
        for above in (PurePosixPath(folder), *PurePosixPath(folder).parents):
            trees.setdefault(f"{printable(above)}/", []).extend(rows)
    known = {tuple(rows) for rows in (*classes.values(), range(len(index)))}
    trees = {name: rows for name, rows in trees.items() if tuple(sorted(rows)) not in known}
    return {name: np.sort(rows) for some in (classes, trees) for name, rows in sorted(some.items())}
