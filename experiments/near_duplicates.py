"""Lists the pairs of images in an index that are nearly the same, the closest first.

Writes near-duplicates.csv with all pairs, and a contact sheet near-duplicates.png, into the index.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from dim.errors import DimError
from dim.files import check_writable, replace
from dim.names import cell, printable
from dim.training.run import Run
from experiments import command_line

_PRINTED, _DRAWN, _TILE = 20, 40, 112


@dataclass(frozen=True)
class Options:
    """Options of `near_duplicates`."""

    run: str = ""
    """Name of the folder in runs/ (or a path); by default the run trained last."""
    data: str = ""
    """Name or path of the indexed data set; by default the one indexed last."""
    threshold: float = 0.01
    """Largest distance of a pair. What is nearly the same depends on the run: look at the contact sheet."""
    metric: Literal["l2", "cosine"] = "cosine"
    """Distance between codes."""


def near_duplicates(options: Options) -> None:
    """Compares all pairs of an index.

    Raises:
        DimError: there is no run or index, or too many pairs are that close.
    """
    from imageio.v3 import imwrite

    from dim.pictures.pairs import pair_sheet
    from dim.search.duplicates import close_pairs
    from dim.search.index import Index

    run = Run.chosen(options.run)
    index = Index.of(run, options.data)
    check_writable(index.folder)
    try:
        pairs = close_pairs(index.codes, options.threshold, options.metric)
    except ValueError as error:
        raise DimError(f"{index.folder}: {error}") from error
    found = len(pairs.rows)
    replace(index.folder / "near-duplicates.csv", lambda file: _write_table(file, index, pairs))
    for (one, other), distance in zip(pairs.rows[:_PRINTED], pairs.distances, strict=False):
        print(f"{distance:10.4g}  {printable(index.path(one))}  {printable(index.path(other))}")
    if found > _PRINTED:
        print(f"{'…':>10}  and {found - _PRINTED:,} more")
    print(f"{found:,} pairs of {len(index):,} images within {options.metric} distance {options.threshold:g}")
    print(printable(index.folder / "near-duplicates.csv"))
    if not found:
        (index.folder / "near-duplicates.png").unlink(missing_ok=True)
        return
    shown = pairs.rows[:_DRAWN]
    picture = pair_sheet(
        np.stack([[index.picture(i, _TILE) for i in pair] for pair in shown]),
        f"{index.folder.name}: the {len(shown)} closest of {found:,} pairs by {options.metric} distance "
        f"between codes of {run.path.name}",
        [tuple(index.file_name(i) for i in pair) for pair in shown],
        pairs.distances[: len(shown)],
        _TILE,
    )
    replace(index.folder / "near-duplicates.png", lambda file: imwrite(file, picture))
    print(printable(index.folder / "near-duplicates.png"))


def _write_table(file: Path, index, pairs) -> None:
    with file.open("w", newline="", encoding="utf8") as opened:
        writer = csv.writer(opened)
        writer.writerow(["distance", "one", "other"])
        for (one, other), distance in zip(pairs.rows, pairs.distances, strict=True):
            writer.writerow([f"{distance:.6g}", cell(index.name(one)), cell(index.name(other))])


if __name__ == "__main__":
    command_line.run(near_duplicates, Options, __doc__)
