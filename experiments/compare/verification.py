"""Codes with labels and without, by retrieval and verification: the numbers, their table, the ROC."""

from statistics import mean

import numpy as np

from dim import data
from dim.errors import DimError
from dim.evaluation import PIXELS, UNTRAINED
from experiments import tables
from experiments.compare.table import header
from experiments.compare.training import Entry
from experiments.compare.untrained import kinds, untrained_codes

_FAR = 1e-2
_MEASURES = {
    "knn": "cosine 20-NN",
    "map_at_r": "MAP@R",
    "accuracy": "verification",
    "auc": "AUC",
    "eer": "EER",
    "tar": "TAR at FAR 1 %",
}


def measure(entries: list[Entry], most: int) -> dict[str, dict[int, dict]]:
    """What is measured → seed → numbers; untrained encoders, with ten seeds, and pixels as well.

    All are asked the same pairs of validation images, at most so many of each kind.
    """
    from dim.encoders.embedding import embed
    from dim.evaluation.baselines import pixels
    from dim.evaluation.knn import knn_accuracies
    from dim.evaluation.retrieval_metrics import retrieval_metrics
    from dim.evaluation.verification import pair_distances, sample_pairs, verify

    first = entries[0]
    dataset = data.load_of(first.configuration)  # which all have in common
    images, labels = dataset.val.images, dataset.val.labels
    try:
        pairs = sample_pairs(labels, most)
    except ValueError as error:
        raise DimError(f"validation images of {dataset.name}: {error}") from error

    def numbers(knn, vectors):
        verification = verify(-pair_distances(vectors, pairs, "cosine"), pairs.same, fars=[_FAR])
        return {
            "knn": knn,
            "map_at_r": retrieval_metrics(vectors, labels, "cosine").map_at_r,
            "accuracy": verification.accuracy,
            "auc": verification.auc,
            "eer": verification.eer,
            "tar": verification.tar_at_far[_FAR],
            "roc": (verification.far, verification.tar),
        }

    found = {}
    for entry in entries:
        codes = embed(entry.run.load_encoder(), images)
        found.setdefault(entry.preset, {})[entry.seed] = numbers(entry.accuracy["code"]["cosine"], codes)
    for name, entry in kinds(entries).items():
        found[name] = {
            seed: numbers(knn_accuracies(train, val, dataset, entry.k)["cosine"], val)
            for seed, train, val in untrained_codes(name, entry.configuration, dataset)
        }
    found[PIXELS] = {0: numbers(first.accuracy[PIXELS]["cosine"], pixels(images))}
    return found


def table(measured: dict[str, dict[int, dict]], labels: dict[str, bool]) -> list[dict]:
    """One row for each that was measured, the greatest MAP@R first.

    Shares of 1, the mean over seeds with the standard deviation (n - 1) where there are several; None is
    what too few pairs leave unknown.
    """
    rows = []
    for name, seeds in measured.items():
        known = {True: "yes", False: "no"}.get(labels.get(name), "")
        rows.append({"name": name, "labels": known, **tables.over_seeds([*seeds.values()], _MEASURES)})
    return sorted(rows, key=lambda row: row["map_at_r"], reverse=True)


def markdown(rows: list[dict]) -> str:
    """The rows of `table` for reading."""

    def cell(row, key):
        value, deviation = row[key], row[f"{key}_deviation"]
        if value is None:
            return "too few pairs"
        return tables.number(value, deviation) if key == "auc" else tables.percent(value, deviation, "")

    titles = [title if key == "auc" else f"{title}, %" for key, title in _MEASURES.items()]
    lines = [[row["name"], row["labels"], *(cell(row, key) for key in _MEASURES)] for row in rows]
    return tables.markdown(["", "labels", *titles], lines, words=["labels"])


def caption(entries: list[Entry], epochs: int, pairs: int) -> str:
    """What the numbers are."""
    text = (
        f"{header(entries, epochs)}. MAP@R and verification among the validation images by "
        f"cosine distance, at most {pairs:,} same and as many different pairs, the same for all; "
        "accuracy at a threshold chosen on the other nine of ten folds."
    )
    if labelled := dict.fromkeys(entry.preset for entry in entries if entry.configuration.needs_labels):
        known = "learned from labels of the very classes that are asked for here, on other images of them"
        text += f" {', '.join(labelled)} {known}."
    return text


def plot(measured: dict[str, dict[int, dict]]):
    """ROC curves, the mean of the seeds in a band from least to greatest."""
    from dim.pictures.figures import BLUE, GREEN, GREY, ORANGE, PINK, SKY, YELLOW, draw_roc, panels

    colours = iter((BLUE, SKY, GREEN, PINK, YELLOW, ORANGE))
    figure, axes = panels(1, 6, 4.6)
    grid = np.geomspace(1e-3, 1, 200)
    curves, bands = [], []
    for name, seeds in measured.items():
        each = np.array([_at(grid, *numbers["roc"]) for numbers in seeds.values()])
        if name.startswith((UNTRAINED, PIXELS)):
            style = {"color": GREY, "linestyle": "-." if name == PIXELS else "--"}
        else:
            style = {"color": next(colours, "k")}
            bands.append((grid, each.min(axis=0), each.max(axis=0), style["color"]))
        auc = mean(numbers["auc"] for numbers in seeds.values())
        curves.append((auc, (grid, each.mean(axis=0), f"{name}, AUC {auc:.3f}", style)))
    draw_roc(axes, [curve for _, curve in sorted(curves, key=lambda c: -c[0])], bands)
    return figure


def _at(grid: np.ndarray, far: np.ndarray, tar: np.ndarray) -> np.ndarray:
    """The greatest true accept rate at which no more than each share of the different pairs is accepted."""
    return tar[np.searchsorted(far, grid, side="right") - 1]
