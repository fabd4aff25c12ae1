"""What of an old index still holds when images came, went or changed."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dim.data.dataset import Recipe
from dim.data.rows import in_precision, write_header
from dim.names import as_unicode
from dim.search.index import Index

_BLOCK = 2**16  # rows copied at once


class Growth(NamedTuple):
    """How a listing differs from an index. Images are known again by name and stamp."""

    rows: np.ndarray  # [K] of the index whose images are as they were, ascending
    kept: list[int]  # [K] places of those images in the listing
    new: list[int]  # places of all others, which came or changed


def growth_of(old: Index | None, recipe: Recipe) -> Growth:
    """Without an index, or where a listing has no stamps, everything is new."""
    if old is None or recipe.stamps is None:
        return Growth(np.zeros(0, "int64"), [], list(range(len(recipe.sources))))
    places = {
        (as_unicode(name), stamp): i
        for i, (name, stamp) in enumerate(zip(recipe.names, recipe.stamps, strict=True))
    }
    found = [places.get(known) for known in zip(old.names.to_pylist(), old.stamps.to_pylist(), strict=True)]
    rows = np.array([row for row, i in enumerate(found) if i is not None], "int64")
    kept = [found[row] for row in rows]
    return Growth(rows, kept, sorted(set(range(len(recipe.sources))) - set(kept)))


def ids_of(old: Index | None, recipe: Recipe, places: Sequence[int]) -> tuple[list[int], int]:
    """A number for each image, which is its own as long as it is there by that name, and the next free one.

    No number is given twice, also where the image that had it is gone.
    """
    known = {} if old is None else dict(zip(old.names.to_pylist(), old.ids.to_pylist(), strict=True))
    free, ids = 0 if old is None else old.next_id, []
    for i in places:
        number = known.get(as_unicode(recipe.names[i]))
        ids.append(free if number is None else number)
        free += number is None
    return ids, free


def join(file: Path, codes: np.ndarray, rows: np.ndarray, more: np.ndarray) -> None:
    """Writes some rows of codes [N, D] and, behind them, all of others as one array, in the type of these."""
    with file.open("wb") as opened:
        write_header(opened, (len(rows) + len(more), codes.shape[1]), more.dtype)
        for start in range(0, len(rows), _BLOCK):
            opened.write(in_precision(codes[rows[start : start + _BLOCK]], more.dtype).tobytes())
        opened.write(np.ascontiguousarray(more).tobytes())
        opened.flush()
        os.fsync(opened.fileno())
