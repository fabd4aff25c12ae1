"""Lists the pairs of images in an index that are nearly the same, the closest first.

Writes near-duplicates.csv with all pairs, and a contact sheet near-duplicates.png, into the index.
"""

from dataclasses import dataclass

import numpy as np

from dim.errors import DimError
from dim.files import check_writable
from dim.names import cell, printable
from dim.search.engine import IndexMetric
from dim.training.run import Run
from experiments import command_line
from experiments.options import OfIndex
from experiments.tables import write_csv

_PRINTED, _DRAWN, _TILE = 20, 40, 112


@dataclass(frozen=True)
class Options(OfIndex):
    """Options of `near_duplicates`."""

    threshold: float = 0.01
    """Largest distance of a pair. What is nearly the same depends on the run: look at the contact sheet."""
    metric: IndexMetric = "cosine"
    """Distance between codes."""


def near_duplicates(options: Options) -> None:
    """Compares all pairs of an index."""
    from dim.pictures.grid import save_picture
    from dim.pictures.pairs import pair_sheet
    from dim.search.duplicates import close_pairs
    from dim.search.index import find

    run = Run.chosen(options.run)
    index = find(run.path, options.data)
    check_writable(index.folder)
    try:
        pairs = close_pairs(index.codes, options.threshold, options.metric)
    except ValueError as error:
        raise DimError(f"{index.folder}: {error}") from error
    found = len(pairs.rows)
    table, sheet = index.folder / "near-duplicates.csv", index.folder / "near-duplicates.png"
    rows = (
        {"distance": f"{distance:.6g}", "one": cell(index.name(one)), "other": cell(index.name(other))}
        for (one, other), distance in zip(*pairs, strict=True)
    )
    write_csv(table, rows, ["distance", "one", "other"])
    for (one, other), distance in zip(pairs.rows[:_PRINTED], pairs.distances, strict=False):
        print(f"{distance:10.4g}  {printable(index.path(one))}  {printable(index.path(other))}")
    if found > _PRINTED:
        print(f"{'…':>10}  and {found - _PRINTED:,} more")
    print(f"{found:,} pairs of {len(index):,} images within {options.metric} distance {options.threshold:g}")
    print(printable(table))
    if not found:
        sheet.unlink(missing_ok=True)
        return
    shown = pairs.rows[:_DRAWN]
    images = np.stack([[index.picture(i, _TILE) for i in pair] for pair in shown])
    title = f"{index.folder.name}: the {len(shown)} closest of {found:,} pairs by {options.metric} distance"
    title += f" between codes of {run.path.name}"
    captions = [tuple(index.file_name(i) for i in pair) for pair in shown]
    save_picture(sheet, pair_sheet(images, title, captions, pairs.distances[: len(shown)], _TILE))
    print(printable(sheet))


if __name__ == "__main__":
    command_line.run(near_duplicates, Options, __doc__)
