"""Which validation images find their class best, and which find it worst."""

import numpy as np

from dim.data import Dataset
from dim.pictures.grid import found_grid
from dim.search.engine import Neighbours
from dim.search.nearest import nearest
from experiments.report import elements
from experiments.report.neighbours import TILE, K

SHOWN, MOST = 5, 1000
_BLOCK = 100  # queries that are ranked at once


def queries(dataset: Dataset, val: np.ndarray) -> str:
    """The section on best and worst queries by codes of validation images [N, D], as HTML."""
    if not dataset.labelled:
        return elements.note("Left out: without labels there is no saying which queries are good.")
    labels = dataset.val.labels
    rows, precision = average_precisions(val, labels)
    if not len(rows):
        why = "no class has two validation images, so no query has anything to find"
        return elements.note(f"Left out: {why}.")
    order = np.argsort(-precision, kind="stable")
    shown = min(SHOWN, len(order))
    figures = []
    for name, chosen in ("best", order[:shown]), ("worst", order[::-1][:shown]):
        own = rows[chosen]
        found = nearest(val[own], val, min(K, len(val) - 1), "cosine", own)
        each = zip(precision[chosen], own, strict=True)
        captions = [f"{found_by:.2f} {dataset.caption(dataset.val, row)}" for found_by, row in each]
        title = f"{name} queries"
        alt = f"The {shown} {name} of {len(rows):,} queries by average precision, each with its neighbours"
        picture = found_grid(dataset, dataset.val.rows(own), dataset.val, found, title, captions, TILE)
        figures.append(elements.sheet(picture, alt))
    members = np.bincount(labels)[labels[rows]]
    chance = np.mean((members - 1) / (len(val) - 1))
    text = (
        f"{len(rows):,} validation images as queries among all {len(val):,}, themselves left out, by cosine "
        "distance. Under each stands its average precision: the mean, over the other images of its class, "
        f"of the precision at the rank where each is found. Its mean over the queries is "
        f"{precision.mean():.3f}; a random order gives about {chance:.3f}."
    )
    return elements.paragraph(text) + elements.side_by_side(figures)


def average_precisions(codes: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of at most 1,000 random queries whose class has another member, each among all others by cosine.

    From codes [N, D] and labels [N] int; returns rows of the queries, and the average precision of each.
    """
    from sklearn.metrics import average_precision_score

    asked = np.flatnonzero(np.bincount(labels)[labels] > 1)
    asked = np.sort(np.random.default_rng(0).permutation(asked)[:MOST])
    precision = np.empty(len(asked))
    falling = -np.arange(len(codes) - 1)
    for start in range(0, len(asked), _BLOCK):
        own = asked[start : start + _BLOCK]
        found: Neighbours = nearest(codes[own], codes, len(codes) - 1, "cosine", own)
        hits = labels[found.indices] == labels[own][:, None]
        precision[start : start + len(own)] = [average_precision_score(hit, falling) for hit in hits]
    return asked, precision
