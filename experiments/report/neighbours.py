"""Pictures of queries and their neighbours, by both distances."""

import numpy as np

from dim.data import Dataset
from dim.pictures.grid import found_grid, same_class
from dim.search.engine import METRIC_NAMES
from dim.search.nearest import METRICS, nearest
from experiments.report import elements

COUNT, K, TILE = 8, 4, 128


def neighbours(dataset: Dataset, train: np.ndarray, val: np.ndarray) -> str:
    """The section on random queries by codes of training [N, D] and validation images [Q, D], as HTML."""
    rows = np.random.default_rng(0).permutation(len(val))[:COUNT]
    queries = dataset.val.rows(rows)
    figures = []
    for metric in METRICS:
        found = nearest(val[rows], train, min(K, len(train)), metric)
        title = f"by {METRIC_NAMES[metric]} distance"
        if (hits := same_class(queries, dataset.train, found)) is not None:
            title += f"; same class: {hits.mean():.0%}"
        alt = f"{len(rows)} validation images, each with its nearest training images {title}"
        picture = found_grid(dataset, queries, dataset.train, found, title, tile=TILE)
        figures.append(elements.sheet(picture, alt))
    drawn = f"Random validation images (left) and their nearest among {len(train):,} training images."
    frames = " Green frame: same class." if dataset.labelled else " There are no labels, so no frames."
    caveat = " Pictures prove nothing by themselves; the evaluation has numbers beside baselines."
    return elements.paragraph(drawn + frames + caveat) + elements.side_by_side(figures)
