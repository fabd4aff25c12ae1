"""Verification: do two images show the same class? Answered by their distance and a threshold.

As faces are verified (LFW, https://inria.hal.science/inria-00321923): same and different pairs in equal
number, accuracy at a threshold that is chosen on other pairs, and what happens at every threshold.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from dim.search.nearest import comparable, distances_to

FARS = (1e-2, 1e-3)
FOLDS = 10
FEWEST_FALSE_ACCEPTS = 10
_BLOCK = 2000  # pairs compared at once


class Pairs(NamedTuple):
    """M pairs of rows, same ones before different ones."""

    rows: np.ndarray  # [M, 2] int64, never the same one twice
    same: np.ndarray  # [M] bool


class Verification(NamedTuple):
    """How well similarity tells same pairs from different ones; shares of 1."""

    accuracy: float  # mean over the folds, each at the threshold that is best on the other folds
    deviation: float  # of the folds, n - 1
    threshold: float  # of the similarity, the best on all pairs: at least so much is taken for same
    auc: float  # area under the ROC: how often a same pair is more similar than a different one
    eer: float  # share of errors where same and different pairs have equally many, by interpolation
    tar_at_far: dict[float, float | None]
    """FAR → greatest share of same pairs accepted (TAR) with at most so large a share of different ones
    (FAR); None where there are too few different pairs to tell, fewer than 10 / FAR."""
    far: np.ndarray  # with `tar` the ROC, from (0, 0) to (1, 1)
    tar: np.ndarray


def sample_pairs(labels: np.ndarray, most: int = 10_000, seed: int = 0) -> Pairs:
    """Draws same and different pairs, equally many of both and at most so many of each, none of them twice.

    Every same pair is as likely as any other, and so is every different one. A class, [N] int, with one
    member has no same pair. Raises ValueError if there is no same or no different pair, or `most` is less
    than 1.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ValueError(f"labels must be [N], not {labels.shape}")
    if most < 1:
        raise ValueError(f"at least 1 pair of each kind is needed, not {most}")
    order = np.argsort(labels, kind="stable")
    end = np.searchsorted(labels[order], labels[order], side="right")
    place = np.arange(len(labels))
    # A place pairs with later places only: same up to the end of its class, different from there on.
    kinds = (place + 1, end - place - 1), (end, len(labels) - end)
    same, different = (int(counts.sum()) for _, counts in kinds)
    if not same:
        raise ValueError("no class has two members, so there are no same pairs; give each class two images")
    if not different:
        raise ValueError("all images are of one class, so there are no different pairs; add another class")
    rng, count = np.random.default_rng(seed), min(most, same, different)
    rows = []
    for start, counts in kinds:
        up_to = np.cumsum(counts)
        chosen = rng.choice(up_to[-1], count, replace=False)
        one = np.searchsorted(up_to, chosen, side="right")
        other = start[one] + chosen - (up_to[one] - counts[one])
        rows.append(np.stack([order[one], order[other]], axis=1))
    return Pairs(np.concatenate(rows), np.repeat([True, False], count))


def pair_distances(
    vectors: np.ndarray, pairs: Pairs, metric: Literal["cosine", "l2"] = "cosine"
) -> np.ndarray:
    """Distance of each pair of rows of vectors [N, D], one minus the cosine or Euclidean: [M] float32.

    Raises ValueError if a value is not finite.
    """
    blocks = [pairs.rows[i : i + _BLOCK] for i in range(0, len(pairs.rows), _BLOCK)]
    return np.concatenate(
        [distances_to(*(comparable(vectors[side], metric) for side in block.T), metric) for block in blocks]
    )


def verify(
    similarities: np.ndarray, same: np.ndarray, seed: int = 0, fars: Sequence[float] = FARS
) -> Verification:
    """How well a similarity [M], such as a negative distance, tells same pairs [M] from different ones.

    Ten folds, which the seed decides, hold the same share of same pairs each, and fewer folds are made of
    fewer than ten pairs of a kind. Unlike in LFW an image may be part of several folds: there are more pairs
    than images. The ROC is read at the false accept rates `fars`. Raises ValueError if the shapes do not
    fit, a value is not finite, or there are fewer than 2 pairs of a kind.
    """
    from sklearn.metrics import auc, roc_curve
    from sklearn.model_selection import StratifiedKFold

    similarities, same = np.asarray(similarities, "float64"), np.asarray(same, bool)
    if similarities.ndim != 1 or similarities.shape != same.shape:
        raise ValueError(f"similarities and same must be [M] both, not {similarities.shape} and {same.shape}")
    if not np.isfinite(similarities).all():
        raise ValueError("there are similarities that are not finite; look for NaN among the codes")
    alike, others = same.sum(), (~same).sum()
    fewest = min(alike, others)
    if fewest < 2:
        found = f"{alike} same and {others} different pairs"
        raise ValueError(f"there are {found}; at least 2 of each are needed")
    folds = StratifiedKFold(min(FOLDS, int(fewest)), shuffle=True, random_state=seed)
    accuracies = [
        np.mean((similarities[test] >= best_threshold(similarities[train], same[train])) == same[test])
        for train, test in folds.split(similarities, same)
    ]
    far, tar, _ = roc_curve(same, similarities, drop_intermediate=False)
    accuracy, deviation = float(np.mean(accuracies)), float(np.std(accuracies, ddof=1))
    area, eer = float(auc(far, tar)), float(np.interp(0, far - (1 - tar), far))
    read = {f: float(tar[far <= f].max()) if others * f >= FEWEST_FALSE_ACCEPTS else None for f in fars}
    return Verification(accuracy, deviation, best_threshold(similarities, same), area, eer, read, far, tar)


def best_threshold(similarities: np.ndarray, same: np.ndarray) -> float:
    """The similarity from which on pairs are best taken for same; the greatest of equally good ones.

    It lies halfway between two pairs, or is that of the most or beyond the least similar pair where all
    are best taken for different or for same. Takes similarities [M] and whether the pairs are same, [M] bool.
    """
    values, of = np.unique(similarities, return_inverse=True)
    gain = np.bincount(of, np.where(same, 1, -1))[::-1]  # of accepting a value too, from the greatest on
    accepted = int(np.argmax(np.concatenate([[0], np.cumsum(gain)])))
    values = values[::-1]
    if accepted == 0:
        return float(np.nextafter(values[0], np.inf))
    if accepted == len(values):
        return float(values[-1])
    return float((values[accepted - 1] + values[accepted]) / 2)
