"""Images that become rows of one .npy file batch by batch, however many there are."""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from tqdm import tqdm

BATCH = 250


def write_rows(
    file: Path,
    batches: Generator[tuple[int, list[np.ndarray | str]]],
    N: int,
    shape: tuple[int, ...],
    dtype: str,
    note: Callable[[int, dict[int, str]], None],
    title: str,
    done: int = 0,
    skipped: dict[int, str] | None = None,
) -> dict[int, str]:
    """Writes a row for every image that can be read, in their order; returns number and reason of the others.

    Written row by row, not through a memory map: a full disk is then an OSError, not a bus error.

    Args:
        batches: number of the first image of each batch, and the rows of its images, or why there is none,
            from image `done` on; closed in the end.
        N: how many images there are.
        shape, dtype: of a row.
        note: called after each batch with the number of images done and those skipped. What it raises ends
            the work, which can go on from there.
        done, skipped: what an earlier call has given to `note`; what the file has beyond that is dropped.
    """
    skipped = dict(skipped or {})
    row_bytes = np.dtype(dtype).itemsize * int(np.prod(shape))
    with (
        closing(batches),
        file.open("r+b" if done else "wb") as opened,
        tqdm(total=N, initial=done, desc=title, unit=" images", dynamic_ncols=True) as bar,
    ):
        write_header(opened, (N, *shape), dtype)
        opened.seek(row_bytes * (done - len(skipped)), os.SEEK_CUR)
        opened.truncate()
        for start, images in batches:
            skipped |= {start + i: row for i, row in enumerate(images) if isinstance(row, str)}
            if rows := [row for row in images if not isinstance(row, str)]:
                opened.write(in_precision(rows, dtype).tobytes())
                opened.flush()
            note(start + len(images), skipped)
            bar.update(len(images))
        opened.seek(0)
        write_header(opened, (N - len(skipped), *shape), dtype)
        opened.flush()
        os.fsync(opened.fileno())
    return skipped


def in_precision(rows: Sequence[np.ndarray], dtype: str) -> np.ndarray:
    """Rows as one array of a type; what is too large for half precision becomes infinite."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(rows, dtype)


def write_header(file, shape: tuple[int, ...], dtype: str) -> None:
    """NumPy leaves room in it for axis 0 to change, so it can be written twice."""
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
