"""Curves of a training run from its log.csv, one figure for each kind of number."""

import re
from pathlib import Path

from dim.evaluation import PIXELS, UNTRAINED
from dim.files import read_table
from dim.names import plotted
from dim.pictures.figures import BLUE, GREEN, ORANGE, PINK, SKY, YELLOW, panels, titled
from dim.training.run import Run
from experiments.report import elements

_COLOURS = BLUE, ORANGE, GREEN, PINK, YELLOW, SKY
_KINDS = {
    "loss": "loss and its terms",
    "bound": "lower bound on mutual information (nats)",
    "accuracy": "accuracy in training (%)",
    "knn": "validation accuracy of 20-NN (%)",
}
_NAMES = {"knn_cosine": "code, cosine", "knn_l2": "code, L2", "loss": "total"}
_NOTES = {
    "loss": "Terms are shown before their weights.",
    "bound": "The bound is at most log K with InfoNCE and K candidates, and 2·log 2 with Jensen-Shannon.",
    "accuracy": "Accuracy in training: how often a critic scores a true pair above a mismatched one, or a "
    "supervised encoder finds the class.",
    "knn": "20-NN here asks at most 1,000 validation images among at most 5,000 training images; the "
    "baselines, all of them.",
}
_EPOCH = re.compile("[0-9]{1,9}")
_GREATEST = 1e100
_BASELINES = {UNTRAINED: "--", "random encoder": "-.", PIXELS: ":"}  # random: uncalibrated, of older runs


def curves(run: Run) -> str:
    """The section on training, as HTML."""
    epochs, logged = read_log(run.log)
    if not epochs:
        return elements.note("No epoch has been logged.")
    logged.pop("seconds", None)
    groups = {kind: {name: y for name, y in logged.items() if _kind(name) == kind} for kind in _KINDS}
    kinds = [kind for kind in _KINDS if groups[kind]]
    figures = elements.charts((_KINDS[kind], _figure(kind, epochs, groups[kind], run)) for kind in kinds)
    return figures + elements.note(" ".join(_NOTES[kind] for kind in kinds if kind in _NOTES))


def read_log(file: Path) -> tuple[list[int], dict[str, list[float]]]:
    """Numbers of the epochs, and the values of each column in them; those that are no number are NaN."""
    if not file.exists():
        return [], {}
    rows = [row for row in read_table(file, "epoch") if _EPOCH.fullmatch(row["epoch"])]
    names = [name for name in rows[0] if name != "epoch"] if rows else []
    return [int(row["epoch"]) for row in rows], {name: [_number(row[name]) for row in rows] for name in names}


def _number(text: str) -> float:
    """One that can be drawn: matplotlib cannot leave 300 powers of ten room on an axis."""
    try:
        number = float(text)
    except ValueError:
        return float("nan")
    return number if abs(number) < _GREATEST else float("nan")


def _kind(name: str) -> str:
    if name.startswith("knn_"):
        return "knn"
    return name.rpartition("_")[2] if name.endswith(("bound", "accuracy")) else "loss"


def _figure(kind: str, epochs: list[int], group: dict[str, list[float]], run: Run):
    from matplotlib.ticker import MaxNLocator

    figure, axes = panels(1, 4.3, 3)
    scale = 100 if kind in ("accuracy", "knn") else 1
    marker = {"marker": "o" if len(epochs) < 8 else None, "markersize": 4}
    for colour, (name, values) in zip(_COLOURS * 3, group.items(), strict=False):
        style = {"color": colour, "linewidth": 1.6, "zorder": 2}
        if name == "loss":
            style = {"color": "0.6", "linewidth": 4, "zorder": 1.5}
        label = _NAMES.get(name, plotted(name.removesuffix(f"_{kind}")))
        axes.plot(epochs, [scale * value for value in values], label=label, **style, **marker)
    if kind == "knn":
        for name, accuracy in _baselines(run).items():
            style = {"color": "0.5", "linestyle": _BASELINES[name], "linewidth": 1.2}
            axes.axhline(100 * accuracy, label=f"{name}, cosine", **style)
        axes.set_ylim(bottom=0)
    titled(axes, _KINDS[kind], "epoch", "")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.grid(axis="y", color="0.9", linewidth=0.6)
    axes.legend(fontsize=7.5, frameon=False)
    return figure


def _baselines(run: Run) -> dict[str, float]:
    """Accuracies by cosine of what a code has to beat, where training was completed with labels."""
    if not run.results.exists():
        return {}
    accuracies = run.read_json(run.results, "accuracy")["accuracy"]
    return {name: accuracies[name]["cosine"] for name in _BASELINES if name in accuracies}
