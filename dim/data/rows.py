"""Images that become rows of one .npy file as they are decoded, however many there are."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
from tqdm import tqdm

from dim.data.dataset import Recipe
from dim.data.decoding import decoded

BATCH = 250


def write_rows(
    file: Path,
    recipe: Recipe,
    shape: tuple[int, ...],
    dtype: str,
    rows_of: Callable[[dict[int, np.ndarray]], np.ndarray],
    note: Callable[[int, dict[int, str]], None],
    title: str,
    done: int = 0,
    skipped: dict[int, str] | None = None,
) -> dict[int, str]:
    """Writes a row for every image that can be read, in their order; returns number and reason of the others.

    Written row by row, not through a memory map: a full disk is then an OSError, not a bus error. Three
    batches at most are in memory.

    Args:
        shape, dtype: of a row.
        rows_of: makes the rows of the images of a batch of 250. They are given by their places in it; those
            that cannot be read are not among them.
        note: called after each batch with the number of images done and those skipped. What it raises ends
            the work, which can go on from there.
        done, skipped: what an earlier call has given to `note`; what the file has beyond that is dropped.
    """
    N, skipped = len(recipe.sources), dict(skipped or {})
    row_bytes = np.dtype(dtype).itemsize * int(np.prod(shape))
    with (
        file.open("r+b" if done else "wb") as opened,
        closing(decoded(recipe, BATCH, done)) as batches,
        tqdm(total=N, initial=done, desc=title, unit=" images", dynamic_ncols=True) as bar,
    ):
        write_header(opened, (N, *shape), dtype)
        opened.seek(row_bytes * (done - len(skipped)), os.SEEK_CUR)
        opened.truncate()
        for start, images in batches:
            read = {i: image for i, image in enumerate(images) if not isinstance(image, str)}
            skipped |= {start + i: reason for i, reason in enumerate(images) if i not in read}
            if read:
                opened.write(np.ascontiguousarray(rows_of(read), dtype).tobytes())
                opened.flush()
            note(start + len(images), skipped)
            bar.update(len(images))
        opened.seek(0)
        write_header(opened, (N - len(skipped), *shape), dtype)
        opened.flush()
        os.fsync(opened.fileno())
    return skipped


def write_header(file, shape: tuple[int, ...], dtype: str) -> None:
    """NumPy leaves room in it for axis 0 to change, so it can be written twice."""
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
