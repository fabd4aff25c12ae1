"""Finds the images of an index that are most similar to an image of yours.

Prints their paths with distances, and draws them into search.png in the run folder.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dim.errors import DimError
from dim.files import typed_path
from dim.names import printable
from dim.search.engine import Metric
from experiments import command_line
from experiments.options import OfIndex

_TILE = 112


@dataclass(frozen=True)
class Options(OfIndex):
    """Options of `search`."""

    image: tuple[str, ...] = ()
    """One or several image files of any size."""
    k: int = 10
    """Neighbours of each image."""
    metric: Metric = "cosine"
    """Distance between codes."""


def search(options: Options) -> None:
    """Embeds the images, searches the index, prints and draws."""
    from dim.data.decode import read_images
    from dim.search.index import find

    files = _files(options.image)
    run, configuration = options.opened()
    index = find(run.path, options.data)
    if not 0 < options.k <= len(index):
        raise DimError(f"--k {options.k} does not fit: {index.folder} holds {len(index):,} images")
    images = read_images(files, configuration.image_size)

    command_line.import_keras()
    from dim.encoders.embedding import embed, fingerprint
    from dim.pictures.grid import neighbour_grid, save_picture

    encoder = run.load().encoder
    codes = embed(encoder, images)
    index.check(fingerprint(encoder), codes.shape[1])
    try:
        found = index.search(codes, options.k, options.metric)
    except ValueError as error:
        raise DimError(f"{index.folder} cannot be searched by {options.metric}: {error}") from error
    for file, *neighbours in zip(files, *found, strict=True):
        print(printable(file))
        for rank, (i, distance) in enumerate(zip(*neighbours, strict=True), 1):
            what = f"{distance:10.4g}  {printable(index.path(i))}" if i >= 0 else "not found"
            print(f"{rank:4}  {what}")
    nothing = np.full((_TILE, _TILE, 3), 255, "uint8")
    picture = neighbour_grid(
        read_images(files, _TILE),
        np.stack([[index.picture(i, _TILE) if i >= 0 else nothing for i in row] for row in found.indices]),
        f"{run.path.name}: images (left) and the nearest in {index.folder.name} by {options.metric} distance",
        query_captions=[Path(file).name for file in files],
        captions=[[index.caption(i) if i >= 0 else "" for i in row] for row in found.indices],
        distances=found.distances,
    )
    save_picture(run.path / "search.png", picture)
    print(printable(run.path / "search.png"))


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
