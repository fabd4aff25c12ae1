"""Finds the images of an index, or of several, that are most similar to an image of yours.

Prints their paths with distances, and draws them into search.png in the run folder. With --json, --csv or
--paths it prints nothing else than that, for other programs, and draws nothing.
"""

import csv
import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dim.errors import DimError
from dim.files import typed_path
from dim.names import as_unicode, cell, printable
from dim.search.engine import Metric
from experiments import command_line
from experiments.options import OfRun

_TILE = 112


@dataclass(frozen=True)
class Options(OfRun):
    """Options of `search`."""

    image: tuple[str, ...] = ()
    """One or several image files of any size."""
    data: tuple[str, ...] = ()
    """Names or paths of indexed data sets, searched together; by default the one indexed last."""
    k: int = 10
    """Neighbours of each image."""
    metric: Metric = "cosine"
    """Distance between codes."""
    only: str = ""
    """A class, or a folder and all below it, with a slash at its end: only these images are found."""
    min: float = 0.0
    """Of the neighbours only those at this distance or farther, such as all that are not the image itself."""
    max: float = float("inf")
    """Of the neighbours only those at this distance or nearer."""
    json: bool = False
    """Print JSON: of each image its neighbours with rank, distance, path, label, id and data."""
    csv: bool = False
    """Print the same as CSV, a neighbour a line."""
    paths: bool = False
    """Print the paths of the neighbours alone, one a line."""


class Neighbour(NamedTuple):
    """An image of an index that was found."""

    distance: float
    index: object
    row: int

    def about(self, rank: int) -> dict:
        label, ids = self.index.labels[self.row].as_py(), self.index.ids
        return {
            "rank": rank,
            "distance": float(f"{self.distance:.6g}"),
            "path": as_unicode(self.index.path(self.row)),
            "label": label,
            "id": None if ids is None else ids[self.row].as_py(),
            "data": as_unicode(self.index.where),
        }


def search(options: Options) -> None:
    """Embeds the images, searches the indexes, prints and draws."""
    from dim.data.decode import read_images
    from dim.search.index import find

    if sum((options.json, options.csv, options.paths)) > 1:
        raise DimError("--json, --csv and --paths exclude each other; give one of them")
    files = _files(options.image)
    run, configuration = options.opened()
    indexes = [find(run.path, data) for data in options.data or ("",)]
    parts = _parts(indexes, options.only)
    held = sum(len(index) if among is None else len(among) for index, among in parts)
    if not 0 < options.k <= held:
        where = ", ".join(str(index.folder) for index, _ in parts)
        of = f" of {options.only}" if options.only else ""
        raise DimError(f"--k {options.k} does not fit: {where} holds {held:,} images{of}")
    images = read_images(files, configuration.image_size)

    command_line.import_keras()
    from dim.encoders.embedding import embed, fingerprint

    encoder = run.load_encoder()
    codes, own = embed(encoder, images), fingerprint(encoder)
    found: list[list[Neighbour]] = [[] for _ in files]
    for index, among in parts:
        index.check(own, codes.shape[1])
        try:
            k = min(options.k, len(index if among is None else among))
            nearest = index.search(codes, k, options.metric, among=among)
        except ValueError as error:
            raise DimError(f"{index.folder} cannot be searched by {options.metric}: {error}") from error
        for query, *neighbours in zip(found, *nearest, strict=True):
            near = zip(*neighbours, strict=True)
            query += [Neighbour(float(distance), index, int(row)) for row, distance in near if row >= 0]
    for query in found:
        query.sort(key=lambda neighbour: neighbour.distance)
        query[:] = [each for each in query[: options.k] if options.min <= each.distance <= options.max]
    _print(files, found, options)
    if not (options.json or options.csv or options.paths) and any(found):
        _draw(files, found, options.metric, indexes, run.path)


def _parts(indexes: list, only: str) -> list[tuple]:
    """Each index that has such a part, and the rows of it; DimError if none has it."""
    if not only:
        return [(index, None) for index in indexes]
    found, missing = [], None
    for index in indexes:
        try:
            found.append((index, index.rows_of(only)))
        except DimError as error:
            missing = missing or error
    if not found:
        raise missing
    return found


def _print(files: list[str], found: list[list[Neighbour]], options: Options) -> None:
    about = [[each.about(rank) for rank, each in enumerate(query, 1)] for query in found]
    if options.json:
        pairs = zip(files, about, strict=True)
        print(json.dumps([{"image": as_unicode(file), "neighbours": rows} for file, rows in pairs], indent=2))
    elif options.csv:
        names = "image", "rank", "distance", "path", "label", "id", "data"
        table = csv.DictWriter(sys.stdout, names, lineterminator="\n")
        table.writeheader()
        for file, rows in zip(files, about, strict=True):
            for row in rows:
                texts = {name: cell(row[name] or "") for name in ("path", "label", "data")}
                table.writerow({"image": cell(file), **row, **texts})
    elif options.paths:
        for row in (row for rows in about for row in rows):
            print(printable(row["path"]))
    else:
        for file, query in zip(files, found, strict=True):
            print(printable(file))
            for rank, each in enumerate(query, 1):
                print(f"{rank:4}  {each.distance:10.4g}  {printable(each.index.path(each.row))}")
            if not query:
                print("      nothing at such a distance")


def _draw(files, found: list[list[Neighbour]], metric: Metric, indexes, folder: Path) -> None:
    from dim.data.decode import read_images
    from dim.pictures.grid import neighbour_grid, save_picture

    nothing, most = np.full((_TILE, _TILE, 3), 255, "uint8"), max(map(len, found))

    def padded(values, blank):
        return [[*row, *[blank] * (most - len(row))] for row in values]

    pictures = [[each.index.picture(each.row, _TILE) for each in query] for query in found]
    captions = [[each.index.caption(each.row) for each in query] for query in found]
    distances = [[each.distance for each in query] for query in found]
    where = ", ".join(index.folder.name for index in indexes)
    picture = neighbour_grid(
        read_images(files, _TILE),
        np.array(padded(pictures, nothing)),
        f"{folder.name}: images (left) and the nearest in {where} by {metric} distance",
        query_captions=[Path(file).name for file in files],
        captions=padded(captions, ""),
        distances=np.array(padded(distances, np.inf)),
    )
    save_picture(folder / "search.png", picture)
    print(printable(folder / "search.png"))


def _files(images: tuple[str, ...]) -> list[str]:
    """Each a file, or several with spaces between, as make passes them on."""
    files = []
    for text in images:
        try:
            several = [] if typed_path(text).exists() else shlex.split(text)
        except ValueError as error:
            raise DimError(f"--image {text!r}: {error}") from None
        files += several if any(typed_path(file).exists() for file in several) else [text]
    if not files:
        raise DimError("no image to search for; give one or several: make search IMAGE=a.jpg")
    return [str(typed_path(file)) for file in files]


if __name__ == "__main__":
    command_line.run(search, Options, __doc__)
