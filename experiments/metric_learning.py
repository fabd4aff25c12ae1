"""Metric learning against Deep InfoMax: the same encoder and images, with labels and without.

Trains as `compare` does, in the same folder, so that neither trains what the other has; then compares
codes of the validation images by retrieval and verification. Writes metric-learning.md,
metric-learning.csv and roc.png into OUT.
"""

import csv
from dataclasses import dataclass
from statistics import mean, stdev

import numpy as np

from dim import data
from dim.errors import DimError
from dim.evaluation import PIXELS, UNTRAINED
from dim.files import typed_path
from dim.names import printable
from experiments import command_line
from experiments.compare.table import header
from experiments.compare.training import Entry, trained
from experiments.compare.untrained import kinds, untrained_codes

_PRESETS = ("dim", "two-view", "supervised", "metric-contrastive", "metric-triplet", "metric-supcon")
_FAR = 1e-2
_MEASURES = {
    "knn": "cosine 20-NN",
    "map_at_r": "MAP@R",
    "accuracy": "verification",
    "auc": "AUC",
    "eer": "EER",
    "tar": "TAR at FAR 1 %",
}


@dataclass(frozen=True)
class Options:
    """Options of `metric_learning`."""

    presets: tuple[str, ...] = _PRESETS
    """Which to compare."""
    seeds: tuple[int, ...] = (0, 1)
    """Each preset is trained once with each."""
    epochs: int = 12
    """Passes over the training images, the same for all."""
    data: str = ""
    """As for train; its images need labels."""
    tune: bool = False
    """For making choices: compare on a tenth held out of the training images, and never look at the
    validation images. Takes an --out of its own."""
    out: str = "runs/compare"
    """Folder of the runs, the table and the figure."""
    args: str = ""
    """Further options of train for all runs, in one string: --args="--image-size 32 --views 1"."""
    pairs: int = 10_000
    """Same pairs of validation images, and as many different ones; fewer where there are fewer."""


def metric_learning(options: Options) -> None:
    """Trains what is not complete, then writes the table and the figure.

    Raises:
        DimError: an option or the data cannot be used, or every run failed.
    """
    entries = trained(options)
    complete = [entry for entry in entries if not entry.failure]

    command_line.import_keras()
    measured = measure(complete, options.pairs)
    rows = table(measured, {e.preset: e.configuration.needs_labels for e in complete})
    text = f"{markdown(rows)}\n{caption(complete, options)}\n"
    failed = [f"{e.name} failed: {e.failure}" for e in entries if e.failure]
    text += "".join(f"\n{line}\n" for line in failed)
    out = typed_path(options.out)
    (out / "metric-learning.md").write_text(text, "utf8")
    with (out / "metric-learning.csv").open("w", newline="", encoding="utf8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    plot(measured).savefig(out / "roc.png")
    written = (out / name for name in ("metric-learning.md", "metric-learning.csv", "roc.png"))
    print(f"\n{text}\n{'  '.join(map(printable, written))}")


def measure(entries: list[Entry], most: int) -> dict[str, dict[int, dict]]:
    """What is measured → seed → numbers; untrained encoders, with ten seeds, and pixels as well.

    All are asked the same pairs.

    Args:
        entries: complete ones.
        most: pairs of each kind.

    Raises:
        DimError: no pairs can be made of the validation images.
    """
    from dim.encoders.embedding import embed
    from dim.evaluation.features import pixels
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
        codes = embed(entry.run.load().encoder, images)
        found.setdefault(entry.preset, {})[entry.seed] = numbers(entry.accuracy["code"]["cosine"], codes)
    for name, entry in kinds(entries).items():
        codes = untrained_codes(name, entry.configuration, dataset)
        found[name] = {
            seed: numbers(knn_accuracies(train, val, dataset, entry.k)["cosine"], val)
            for seed, train, val in codes
        }
    found[PIXELS] = {0: numbers(first.accuracy[PIXELS]["cosine"], pixels(images))}
    return found


def table(measured: dict[str, dict[int, dict]], labels: dict[str, bool]) -> list[dict]:
    """One row for each that was measured, the greatest MAP@R first.

    Shares of 1, the mean over seeds with the standard deviation (n - 1) where there are several.
    """
    rows = []
    for name, seeds in measured.items():
        row = {"name": name, "labels": {True: "yes", False: "no"}.get(labels.get(name), "")}
        for key in _MEASURES:
            each = [numbers[key] for numbers in seeds.values()]
            known = None not in each
            row[key] = mean(each) if known else ""
            row[f"{key}_deviation"] = stdev(each) if known and len(each) > 1 else ""
        rows.append({**row, "seeds": len(seeds)})
    return sorted(rows, key=lambda row: row["map_at_r"], reverse=True)


def markdown(rows: list[dict]) -> str:
    """The rows of `table` for reading."""

    def cell(row, key):
        if row[key] == "":
            return "too few pairs"
        scale, digits = (1, 3) if key == "auc" else (100, 1)
        text = f"{scale * row[key]:.{digits}f}"
        deviation = row[f"{key}_deviation"]
        return text if deviation == "" else f"{text} ± {scale * deviation:.{digits}f}"

    titles = [title if key == "auc" else f"{title}, %" for key, title in _MEASURES.items()]
    lines = [["", "labels", *titles], ["---", "---", *["---:"] * len(_MEASURES)]]
    lines += [[row["name"], row["labels"], *(cell(row, key) for key in _MEASURES)] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def caption(entries: list[Entry], options: Options) -> str:
    """What the numbers are."""
    labelled = list(dict.fromkeys(e.preset for e in entries if e.configuration.needs_labels))
    known = (
        f" {', '.join(labelled)} learned from labels of the very classes that are asked for here, on other "
        "images of them."
        if labelled
        else ""
    )
    return (
        f"{header(entries, options.epochs)}. MAP@R and verification among the validation images by "
        f"cosine distance, at most {options.pairs:,} same and as many different pairs, the same for all; "
        f"accuracy at a threshold chosen on the other nine of ten folds.{known}"
    )


def plot(measured: dict[str, dict[int, dict]]):
    """ROC curves, the mean of the seeds in a band from least to greatest.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure

    from dim.pictures.figures import BLUE, GREEN, GREY, ORANGE, PINK, SKY, YELLOW, draw_roc

    colours = iter((BLUE, SKY, GREEN, PINK, YELLOW, ORANGE))
    figure = Figure(figsize=(6, 4.6), dpi=200, layout="constrained")
    grid = np.geomspace(1e-3, 1, 200)
    curves, bands = [], []
    for name, seeds in measured.items():
        each = np.array([_at(grid, *numbers["roc"]) for numbers in seeds.values()])
        style = {"color": GREY, "linestyle": "-." if name == PIXELS else "--"}
        if not name.startswith((UNTRAINED, PIXELS)):
            style = {"color": next(colours, "k")}
            bands.append((grid, each.min(axis=0), each.max(axis=0), style["color"]))
        auc = mean(numbers["auc"] for numbers in seeds.values())
        curves.append((auc, (grid, each.mean(axis=0), f"{name}, AUC {auc:.3f}", style)))
    best_first = [curve for _, curve in sorted(curves, key=lambda c: -c[0])]
    draw_roc(figure.subplots(), best_first, bands)
    return figure


def _at(grid: np.ndarray, far: np.ndarray, tar: np.ndarray) -> np.ndarray:
    """The greatest true accept rate at which no more than each share of the different pairs is accepted."""
    return tar[np.searchsorted(far, grid, side="right") - 1]


if __name__ == "__main__":
    command_line.run(metric_learning, Options, __doc__)
