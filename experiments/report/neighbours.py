"""Pictures of queries and their neighbours, by both distances."""

import numpy as np

from dim.data import Dataset, Split
from dim.pictures.grid import neighbour_grid
from dim.search.nearest import METRICS, nearest
from experiments.report import elements

COUNT, K, TILE = 8, 4, 128
_TITLES = {"l2": "L2", "cosine": "cosine"}


def neighbours(dataset: Dataset, train: np.ndarray, val: np.ndarray) -> str:
    """The section on random queries, as HTML.

    Args:
        dataset: the images.
        train: [N, D], codes of the training images.
        val: [Q, D], codes of the validation images.
    """
    rows = np.random.default_rng(0).permutation(len(val))[:COUNT]
    figures = []
    for metric in METRICS:
        found = nearest(val[rows], train, min(K, len(train)), metric)
        title = f"by {_TITLES[metric]} distance"
        if dataset.labelled:
            hits = dataset.train.labels[found.indices] == dataset.val.labels[rows][:, None]
            title += f"; same class: {hits.mean():.0%}"
        alt = f"{len(rows)} validation images, each with its nearest training images {title}"
        figures.append(elements.sheet(grid(dataset, rows, dataset.train, found, title), alt))
    drawn = f"Random validation images (left) and their nearest among {len(train):,} training images."
    frames = " Green frame: same class." if dataset.labelled else " There are no labels, so no frames."
    caveat = " Pictures prove nothing by themselves; the evaluation has numbers beside baselines."
    return elements.paragraph(drawn + frames + caveat) + elements.side_by_side(figures)


def grid(dataset: Dataset, rows: np.ndarray, bank: Split, found, title: str, captions=None) -> np.ndarray:
    """Validation images and what was found for them.

    Args:
        dataset: the images.
        rows: [Q] int, of the validation images.
        bank: the split in which it was found.
        found: indices and distances, [Q, k] each.
        title: a line above.
        captions: Q strings below the queries; by default their classes or names.

    Returns:
        [height, width, 3] uint8.
    """
    hits = None
    if dataset.labelled:
        hits = bank.labels[found.indices] == dataset.val.labels[rows][:, None]
    return neighbour_grid(
        np.asarray(dataset.val.images[rows]),
        bank.images[found.indices],
        title,
        query_captions=captions or [dataset.caption(dataset.val, i) for i in rows],
        captions=[[dataset.caption(bank, i) for i in row] for row in found.indices],
        distances=found.distances,
        hits=hits,
        tile=TILE,
    )
