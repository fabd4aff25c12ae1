"""Verifies: do two images show the same class, by the distance of their codes?

Same and different pairs are drawn from the validation images of the run, or from all images of another
data set, which sub-folders label. Beside the codes stand raw pixels and the encoder untrained, its batch
normalisation calibrated on the training images, or on all of the other data set. Writes
verification.json, verification.png (distances and ROC) and verification_errors.png (the pairs that are
most wrong) into the run folder.
"""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Literal

import numpy as np

from dim import data
from dim.configuration import Configuration
from dim.data import Dataset, Split
from dim.errors import DimError
from dim.evaluation import PIXELS, UNTRAINED
from dim.files import replace
from dim.names import plotted, printable
from dim.pictures.figures import BLUE, GREY, PINK, draw_distances, draw_roc, panels, save
from dim.search.engine import METRIC_NAMES
from dim.training.run import Run
from experiments import command_line
from experiments.options import OfRun
from experiments.tables import aligned, percent

_SHOWN = 4


@dataclass(frozen=True)
class Options(OfRun):
    """Options of `verify`."""

    data: str = ""
    """Another data set than the one the run was trained on: all its images are used, not a split."""
    pairs: int = 10_000
    """Same pairs, and as many different ones; fewer where there are fewer."""
    metric: Literal["cosine", "l2"] = "cosine"
    """Distance between codes."""
    seed: int = 0
    """Of the choice of pairs and of the folds."""


def verify(options: Options) -> None:
    """Embeds, compares the pairs, prints and draws."""
    if options.pairs < 2 or options.seed < 0:
        raise DimError("--pairs must be at least 2 and --seed at least 0")
    run, configuration = options.opened()
    dataset, images, what = _asked(run, configuration, options.data)

    command_line.import_keras()
    from dim.evaluation.verification import Pairs, pair_distances, sample_pairs
    from dim.evaluation.verification import verify as measure
    from dim.pictures.grid import save_picture

    try:
        pairs = sample_pairs(images.labels, options.pairs, options.seed)
    except ValueError as error:
        raise DimError(f"{dataset.name}: {error}") from error
    used, rows = np.unique(pairs.rows, return_inverse=True)
    used, pairs = images.rows(used), Pairs(rows.reshape(-1, 2), pairs.same)
    vectors = _vectors(run, used.images, dataset.train.images)
    try:
        distances = {name: pair_distances(x, pairs, options.metric) for name, x in vectors.items()}
        measured = {name: measure(-x, pairs.same, options.seed) for name, x in distances.items()}
    except ValueError as error:
        raise DimError(f"{run.path} on {dataset.name}: {error}") from error

    metric, each = METRIC_NAMES[options.metric], f"{len(pairs.same) // 2:,}"
    counted = f"{each} same and {each} different pairs of {what}, by {metric} distance"
    print(f"{printable(dataset.name)}: {counted}\n\n{_table(measured)}")
    record = {
        "run": run.path.name,
        "data": str(dataset),
        "images": what,
        "same_pairs": int(pairs.same.sum()),
        "different_pairs": int((~pairs.same).sum()),
        "options": asdict(options),
        "date": date.today().isoformat(),
        "measured": {name: _numbers(v) for name, v in measured.items()},
    }
    title = f"{run.path.name} on {what} of {dataset.name}"
    figure = plot(distances["code"], pairs.same, measured, metric, title)
    errors = _errors(used, pairs, distances["code"], dataset, title)
    files = [run.path / f"verification{end}" for end in (".json", ".png", "_errors.png")]
    run.write_json(files[0], record)
    replace(files[1], lambda file: save(figure, file))
    save_picture(files[2], errors)
    print("\n" + "  ".join(map(printable, files)))


def _asked(run: Run, configuration: Configuration, where: str) -> tuple[Dataset, Split, str]:
    """The data set, the images of it that pairs are drawn from, and what to call these."""
    names = where, data.lasting(where)
    own = not where or configuration.data in names
    dataset = run.dataset() if own else data.load_whole(where, configuration.image_size)
    if not dataset.labelled:
        unlabelled = f"{dataset.name} has no labels to say which pairs are the same"
        raise DimError(f"{unlabelled}; put each class into a sub-folder of its own")
    images = dataset.val if own else dataset.train
    return dataset, images, f"{len(images):,} {'validation images' if own else 'images'}"


def _vectors(run: Run, images: np.ndarray, known: np.ndarray) -> dict[str, np.ndarray]:
    """The codes, and what they have to beat, which is calibrated on images that are known."""
    from dim.encoders.embedding import embed
    from dim.evaluation.baselines import pixels, untrained_encoder

    return {
        "code": embed(run.load_encoder(), images),
        UNTRAINED: embed(untrained_encoder(run.configuration(), known), images),
        PIXELS: pixels(images),
    }


def _numbers(verification) -> dict:
    """For JSON: distances instead of similarities, no curves."""
    numbers = {name: value for name, value in verification._asdict().items() if name not in ("far", "tar")}
    numbers["threshold"] = -numbers["threshold"]
    numbers["tar_at_far"] = {f"{far:g}": tar for far, tar in numbers["tar_at_far"].items()}
    return numbers


def _table(measured: dict) -> str:
    fars = list(next(iter(measured.values())).tar_at_far)
    titles = ["", "accuracy", "threshold", "AUC", "EER", *(f"TAR at FAR {far:.1%}" for far in fars)]
    lines = [titles]
    for name, v in measured.items():
        accepted = ("too few pairs" if tar is None else percent(tar) for tar in v.tar_at_far.values())
        numbers = percent(v.accuracy, v.deviation), f"{-v.threshold:.4g}", f"{v.auc:.3f}", percent(v.eer)
        lines.append([name, *numbers, *accepted])
    return aligned(lines)


def plot(distances: np.ndarray, same: np.ndarray, measured: dict, metric: str, title: str):
    """Draws histograms of the code's distances with the threshold, and the ROC of all that was measured."""
    figure, (left, right) = panels(2, 8, 3.6)
    draw_distances(left, distances, same, -measured["code"].threshold, metric)
    curves = zip(measured.items(), (BLUE, PINK, GREY), strict=True)
    draw_roc(right, [(v.far, v.tar, f"{n}, AUC {v.auc:.3f}", {"color": c}) for (n, v), c in curves])
    figure.suptitle(plotted(title), fontsize=9)
    return figure


def _errors(images: Split, pairs, distances: np.ndarray, dataset: Dataset, title: str) -> np.ndarray:
    """The different pairs that are nearest, above the same pairs that are farthest, no image twice."""
    from dim.pictures.pairs import pair_sheet

    order = np.argsort(distances, kind="stable")
    different, same = order[~pairs.same[order]], order[pairs.same[order]][::-1]
    shown = np.concatenate([_apart(different, pairs.rows), _apart(same, pairs.rows)])
    return pair_sheet(
        images.images[pairs.rows[shown]],
        f"{title}: nearest different pairs (above), farthest same pairs (below)",
        [tuple(dataset.caption(images, i) for i in pair) for pair in pairs.rows[shown]],
        distances[shown],
    )


def _apart(order: np.ndarray, rows: np.ndarray) -> list[int]:
    """The first few pairs that have no image in common."""
    chosen, seen = [], set()
    for pair in order:
        if len(chosen) < _SHOWN and seen.isdisjoint(rows[pair]):
            chosen.append(pair)
            seen.update(rows[pair])
    return chosen


if __name__ == "__main__":
    command_line.run(verify, Options, __doc__)
