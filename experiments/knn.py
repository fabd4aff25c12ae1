"""Draws the nearest neighbours of a few images, by L2 and by cosine distance between their codes.

Writes knn_l2.png, knn_cos.png and neighbours.csv into the run folder.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from dim import data
from dim.data import Split
from dim.errors import DimError
from dim.names import cell, printable
from dim.search.engine import METRIC_NAMES
from experiments import command_line
from experiments.options import OfRun
from experiments.tables import write_csv

PICTURES = {"l2": "knn_l2.png", "cosine": "knn_cos.png"}


@dataclass(frozen=True)
class Options(OfRun):
    """Options of `knn`."""

    count: int = 10
    """Random validation images to draw as queries."""
    queries: str = ""
    """Instead of random ones: numbers of validation images, such as 3,17,256."""
    image: tuple[str, ...] = ()
    """Instead of validation images: one or several image files."""
    against: Literal["train", "val"] = "train"
    """Where the neighbours come from."""
    k: int = 10
    """Neighbours of each query."""
    seed: int = 0
    """Of the choice of random queries."""
    data: str = ""
    """Another data set to search in than the one the run was trained on."""


def knn(options: Options) -> None:
    """Embeds bank and queries with the run's encoder, searches, draws, and prints the hit rates."""
    run, configuration = options.opened()
    dataset = run.dataset(options.data)
    bank = getattr(dataset, options.against)
    queries, own = _queries(options, dataset, configuration.image_size)
    others = len(bank) - (own is not None)
    if not 0 < options.k <= others:
        raise DimError(f"--k {options.k} does not fit: there are {others} other images in {options.against}")

    command_line.import_keras()
    from dim.encoders.embedding import embed
    from dim.pictures.grid import found_grid, same_class, save_picture
    from dim.search.nearest import METRICS, nearest

    encoder = run.load_encoder()
    codes, bank_codes = embed(encoder, queries.images), embed(encoder, bank.images)
    table = []
    for metric in METRICS:
        found = nearest(codes, bank_codes, options.k, metric, own)
        hits = same_class(queries, bank, found)
        rate = [] if hits is None else [f"same class: {hits.mean():.0%}"]
        name = METRIC_NAMES[metric]
        title = f"{run.path.name}: queries (left) and their {name} neighbours in {options.against}"
        file = run.path / PICTURES[metric]
        save_picture(file, found_grid(dataset, queries, bank, found, "; ".join([title, *rate])))
        print("  ".join([printable(file), *rate]))
        table += _rows(metric, queries, bank, found, dataset)
    write_csv(run.path / "neighbours.csv", table)
    print(printable(run.path / "neighbours.csv"))


def _queries(options: Options, dataset: data.Dataset, size: int) -> tuple[Split, np.ndarray | None]:
    """The queries and, where they are part of the bank, their own rows in it."""
    if options.image:
        if options.queries:
            raise DimError("--image and --queries both say what to ask for; give one of them")
        from dim.data.decode import read_images

        names = [Path(file).name for file in options.image]
        return Split(read_images(options.image, size), None, names), None
    count = len(dataset.val)
    if options.count < 1:
        raise DimError(f"--count must be at least 1, not {options.count}")
    if options.queries:
        rows = _numbers(options.queries, count)
    else:
        rows = np.random.default_rng(options.seed).permutation(count)[: options.count]
    return dataset.val.rows(rows), rows if options.against == "val" else None


def _numbers(text: str, count: int) -> np.ndarray:
    try:
        rows = np.array([int(number) for number in text.split(",")])
    except ValueError:
        raise DimError(f"--queries {text!r} must be numbers with commas between, such as 3,17,256") from None
    if rows.min() < 0 or rows.max() >= count:
        raise DimError(f"--queries {text!r}: there are validation images 0 to {count - 1}")
    return rows


def _rows(metric: str, queries: Split, bank: Split, found, dataset: data.Dataset) -> list[dict]:
    def class_of(split: Split, i: int) -> str:
        return "" if split.labels is None else cell(dataset.caption(split, i))

    return [
        {
            "metric": metric,
            "query": cell(queries.names[q]),
            "query_class": class_of(queries, q),
            "rank": rank,
            "neighbour": cell(bank.names[i]),
            "neighbour_class": class_of(bank, i),
            "distance": f"{distance:.6g}",
        }
        for q, neighbours in enumerate(zip(*found, strict=True))
        for rank, (i, distance) in enumerate(zip(*neighbours, strict=True), 1)
    ]


if __name__ == "__main__":
    command_line.run(knn, Options, __doc__)
