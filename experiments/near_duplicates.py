"""Lists the images of an index that are the same or nearly so, the closest pairs first, and in groups.

Writes into the index near-duplicates.csv with all pairs and a contact sheet near-duplicates.png; and
duplicate-groups.csv and .json, images that pairs connect: of the same bytes, of the same pixels, and near,
each with the one to keep, which has most pixels, then most bytes. Nothing is ever deleted. With --across,
pairs of an image of this index and one of another, in across-OTHER.csv and .png.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm import tqdm

from dim.errors import DimError
from dim.files import check_writable, replace
from dim.names import as_unicode, cell, printable
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
    by: Literal["pairs", "index"] = "pairs"
    """How they are found. pairs compares all; index, for millions, asks the index for the neighbours of
    each, by its metric and as far as it finds them."""
    across: str = ""
    """Name or path of another indexed data set, by the same run: which of its images are in this one too?"""


def near_duplicates(options: Options) -> None:
    """Compares all pairs of an index, or of two."""
    from dim.search.duplicates import close_pairs, pairs_by
    from dim.search.groups import facts_of, groups_of
    from dim.search.index import find

    run = Run.chosen(options.run)
    index = find(run.path, options.data)
    other = find(run.path, options.across) if options.across else index
    check_writable(index.folder)
    if other.made_by["encoder"] != index.made_by["encoder"] or other.codes.shape[1] != index.codes.shape[1]:
        raise DimError(f"{index.folder} and {other.folder} hold codes of different encoders; make both anew")
    if options.by == "index" and other.metric != options.metric:
        raise DimError(
            f"{other.folder} is by {other.metric}; add --metric {other.metric}, or leave --by index out"
        )
    others = other.codes if options.across else None
    try:
        if options.by == "index":
            pairs = pairs_by(other.engine, options.threshold, index.codes if options.across else None)
        else:
            pairs = close_pairs(index.codes, options.threshold, options.metric, others)
    except ValueError as error:
        raise DimError(f"{index.folder}: {error}") from error

    def facts(of, rows: np.ndarray) -> dict:
        bar = tqdm(np.unique(rows).tolist(), f"files of {of.folder.name}", unit=" images", leave=False)
        return {row: facts_of(of.where, of.name(row)) for row in bar}

    both = facts(index, pairs.rows) if not options.across else None
    sides = [both, both] if both is not None else list(map(facts, (index, other), pairs.rows.T))
    name = f"across-{other.folder.name}" if options.across else "near-duplicates"
    _write_pairs(index, other, pairs, sides, index.folder / f"{name}.csv")
    among = f"{len(index):,} images" + (
        f" and {len(other):,} of {other.folder.name}" if options.across else ""
    )
    within = f"within {options.metric} distance {options.threshold:g}"
    print(f"{len(pairs.rows):,} pairs of {printable(among)} {within}")
    print(printable(index.folder / f"{name}.csv"))
    if not options.across:
        _write_groups(index, groups_of(index, pairs, both), both, index.folder / "duplicate-groups.csv")
    _draw(index, other, pairs, options, run, index.folder / f"{name}.png")


def _write_pairs(index, other, pairs, sides, file: Path) -> None:
    rows = []
    for (i, j), distance in zip(pairs.rows.tolist(), pairs.distances, strict=True):
        one, two = sides[0][i], sides[1][j]
        same = (
            "bytes"
            if one.content == two.content != ""
            else "pixels"
            if one.pixels == two.pixels != ""
            else ""
        )
        names = {"one": cell(index.name(i)), "other": cell(other.name(j))}
        rows.append({"distance": f"{distance:.6g}", **names, "same": same})
    write_csv(file, rows, ["distance", "one", "other", "same"])
    for (i, j), row in zip(pairs.rows[:_PRINTED].tolist(), rows, strict=False):
        same = f"  same {row['same']}" if row["same"] else ""
        where = f"{printable(index.path(i))}  {printable(other.path(j))}"
        print(f"{float(row['distance']):10.4g}  {where}{same}")
    if len(rows) > _PRINTED:
        print(f"{'…':>10}  and {len(rows) - _PRINTED:,} more")


def _write_groups(index, groups, facts, file: Path) -> None:
    table, listed = [], []
    for number, group in enumerate(groups, 1):
        images = []
        for row in group.rows:
            path, label, known = index.path(row), index.labels[row].as_py(), facts[row]
            size = {"width": known.width, "height": known.height, "bytes": known.bytes}
            first = {"group": number, "kind": group.kind, "keep": "" if images else "yes"}
            table.append({**first, "path": cell(path), "label": cell(label or ""), **size})
            images.append({"path": as_unicode(path), "label": label, **size})
        about = {"kind": group.kind, "greatest_distance": group.distance, "keep": images[0]["path"]}
        listed.append({**about, "images": images})
    write_csv(file, table, ["group", "kind", "keep", "path", "label", "width", "height", "bytes"])
    text = json.dumps(listed, indent=2)
    replace(file.with_suffix(".json"), lambda file: file.write_text(text + "\n", "utf8"))
    from dim.search.groups import KINDS

    kinds = [group.kind for group in groups]
    counts = ", ".join(f"{kinds.count(kind):,} {kind}" for kind in KINDS if kind in kinds)
    print(f"{len(groups):,} groups{f' ({counts})' if groups else ''}: {printable(file)}, and as .json")


def _draw(index, other, pairs, options: Options, run: Run, sheet: Path) -> None:
    """The closest pairs side by side; without any the last picture goes."""
    from dim.pictures.grid import save_picture
    from dim.pictures.pairs import pair_sheet

    if not (found := len(pairs.rows)):
        sheet.unlink(missing_ok=True)
        return
    shown = pairs.rows[:_DRAWN].tolist()
    images = np.stack([[index.picture(i, _TILE), other.picture(j, _TILE)] for i, j in shown])
    both = f" and {other.folder.name}" if options.across else ""
    title = (
        f"{index.folder.name}{both}: the {len(shown)} closest of {found:,} pairs by {options.metric} distance"
    )
    title += f" between codes of {run.path.name}"
    captions = [(index.file_name(i), other.file_name(j)) for i, j in shown]
    save_picture(sheet, pair_sheet(images, title, captions, pairs.distances[: len(shown)], _TILE))
    print(printable(sheet))


if __name__ == "__main__":
    command_line.run(near_duplicates, Options, __doc__)
