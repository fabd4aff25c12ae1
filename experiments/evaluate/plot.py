"""One figure of an evaluation: accuracies, what few labels are worth, and the spectrum of the codes."""

from collections.abc import Callable
from typing import NamedTuple

from dim.names import plotted
from experiments.evaluate.tables import row_title

_COLOURS = {"": "#0072B2", "supervised": "#009E73", "PCA": "#CC79A7", "pixels": "0.45"}
_COLOURS |= {"untrained": "#D55E00", "uncalibrated": "#E69F00", "random": "#E69F00"}  # random: older files
_MARKERS = {"knn20_cosine": ("o", "20-NN"), "linear": ("s", "linear probe"), "mlp": ("D", "MLP probe")}
_LABELLED = {"linear_1": 1, "linear_10": 10, "linear": 100}
_CODES = ("code", "supervised code", "untrained code", "random code", "PCA", "pixels")


def plot(evaluation: dict):
    """Draws as many of the three panels as there are numbers for.

    Args:
        evaluation: content of evaluation.json.

    Returns:
        A matplotlib figure.
    """
    return _figure(_panels(evaluation), evaluation)


def plots(evaluation: dict) -> list[tuple[str, object]]:
    """The same panels as figures of their own and of one size, each with a title."""
    panels = [panel._replace(width=1.35) for panel in _panels(evaluation)]
    return [(panel.title, _figure([panel], evaluation)) for panel in panels]


class _Panel(NamedTuple):
    title: str
    draw: Callable
    numbers: dict
    width: float


def _panels(evaluation: dict) -> list[_Panel]:
    """Those that there are numbers for."""
    features = evaluation["features"]
    few = {name: m for name, m in features.items() if name in _CODES and {"linear_1", "linear_10"} & set(m)}
    panels = [
        _Panel("validation accuracy of each feature", _accuracies, features, 1.35),
        _Panel("accuracy of a linear probe by the share of labels", _few_labels, few, 1),
        _Panel("singular values of the codes", _spectrum, evaluation["gauges"], 1),
    ]
    return [panel for panel in panels if panel.numbers]


def _figure(panels: list[_Panel], evaluation: dict):
    from matplotlib.figure import Figure

    widths = [panel.width for panel in panels]
    figure = Figure(figsize=(1.2 + 3.1 * sum(widths), 3.4), dpi=200, layout="constrained")
    all_axes = figure.subplots(1, len(panels), width_ratios=widths, squeeze=False)[0]
    for axes, panel in zip(all_axes, panels, strict=True):
        panel.draw(axes, panel.numbers, evaluation)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    return figure


def _accuracies(axes, features: dict, evaluation: dict) -> None:
    names = list(features)
    for metric, (marker, label) in _MARKERS.items():
        points = [
            (100 * features[name][metric], -i) for i, name in enumerate(names) if metric in features[name]
        ]
        colours = [_colour(name) for name in names if metric in features[name]]
        if points:
            axes.scatter(*zip(*points, strict=True), marker=marker, s=26, color=colours)
            axes.scatter([], [], marker=marker, s=26, color="0.3", label=label)
    axes.axvline(100 / evaluation["classes"], color="0.6", linestyle=":", linewidth=1, label="chance")
    axes.set_yticks([-i for i in range(len(names))], [plotted(row_title(name)) for name in names])
    axes.set_ylim(-len(names) + 0.5, 0.5)
    axes.set_xlim(left=0)
    axes.grid(axis="y", color="0.92")
    axes.set_axisbelow(True)
    axes.set_xlabel("validation accuracy (%)", fontsize=9)
    axes.legend(
        fontsize=7, frameon=False, ncols=4, loc="lower center", bbox_to_anchor=(0.4, 1), columnspacing=1
    )


def _few_labels(axes, features: dict, evaluation: dict) -> None:
    for name, measured in features.items():
        shares = [share for metric, share in _LABELLED.items() if metric in measured]
        metrics = [metric for metric in _LABELLED if metric in measured]
        axes.errorbar(
            shares,
            [100 * measured[metric] for metric in metrics],
            [100 * measured.get(f"{metric}_deviation", 0) for metric in metrics],
            color=_colour(name),
            marker="o",
            markersize=4,
            linewidth=1.5,
            capsize=2,
            label=plotted(row_title(name)),
        )
    axes.set_xscale("log")
    axes.set_xticks(list(_LABELLED.values()), [f"{share} %" for share in _LABELLED.values()])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel("training labels", fontsize=9)
    axes.set_ylabel("accuracy of the linear probe (%)", fontsize=9)
    axes.legend(fontsize=7, frameon=False, loc="upper left")


def _spectrum(axes, gauges: dict, evaluation: dict) -> None:
    for name, measured in gauges.items():
        values = measured["spectrum"]
        label = f"{plotted(row_title(name))} ({measured['rank_me']:.0f})"
        axes.plot(range(1, len(values) + 1), values, color=_colour(name), linewidth=1.5, label=label)
    axes.set_yscale("log")
    axes.set_ylim(1e-4, 1.2)
    axes.set_xlabel("number of the singular value", fontsize=9)
    axes.set_ylabel("singular value of training codes", fontsize=9)
    axes.legend(fontsize=7, frameon=False, title="RankMe in brackets", title_fontsize=7)


def _colour(name: str) -> str:
    prefix, _, depth = name.rpartition(" ")
    return _COLOURS.get(depth if depth in _COLOURS else prefix, "k")
