"""One figure of an evaluation: accuracies, what few labels are worth, and the spectrum of the codes."""

from collections.abc import Callable

from dim.evaluation.features import CODE, ROWS, title
from dim.evaluation.few_labels import FEW_LABELS
from dim.evaluation.probes import LINEAR_PROBE
from dim.names import plotted
from dim.pictures.figures import BLUE, GREEN, GREY, ORANGE, PINK, YELLOW, explained, panels

_ENCODERS = {"": BLUE, "supervised": GREEN, "untrained": ORANGE, "uncalibrated": YELLOW, "random": YELLOW}
_BASELINES = {"PCA": PINK, "pixels": GREY}
_MARKERS = {"knn20_cosine": ("o", "20-NN"), "linear": ("s", "linear probe"), "mlp": ("D", "MLP probe")}
_LABELLED = dict(zip((*FEW_LABELS.columns, *LINEAR_PROBE.columns), (1, 10, 100), strict=True))


def plot(evaluation: dict):
    """A matplotlib figure of evaluation.json, with as many of the three panels as there are numbers for."""
    return _figure(_panels(evaluation), evaluation)


def plots(evaluation: dict) -> list[tuple[str, object]]:
    """The same panels as figures of their own and of one size, each with a title."""
    shown = _panels(evaluation)
    return [(name, _figure([(name, 1.35, *how)], evaluation)) for name, _, *how in shown]


def _panels(evaluation: dict) -> list[tuple[str, float, Callable, dict]]:
    """Title, relative width, what draws it and from which numbers, of those that there are any for."""
    features = evaluation["features"]
    shares = {column.name for column in FEW_LABELS.columns}
    few = {name: m for name, m in features.items() if shares & set(m) and _is_code(name)}
    panels = [
        ("validation accuracy of each feature", 1.35, _accuracies, features),
        ("accuracy of a linear probe by the share of labels", 1, _few_labels, few),
        ("singular values of the codes", 1, _spectrum, evaluation["gauges"]),
    ]
    return [panel for panel in panels if panel[-1]]


def _is_code(name: str) -> bool:
    row = ROWS.get(name)
    return row is not None and (row.of_the_data or row.features == CODE)


def _figure(shown: list[tuple], evaluation: dict):
    widths = [width for _, width, *_ in shown]
    figure, all_axes = panels(len(shown), 1.2 + 3.1 * sum(widths), width_ratios=widths, squeeze=False)
    for axes, (_, _, draw, numbers) in zip(all_axes[0], shown, strict=True):
        draw(axes, numbers, evaluation)
    return figure


def _accuracies(axes, features: dict, evaluation: dict) -> None:
    for metric, (marker, label) in _MARKERS.items():
        rows = [(name, i) for i, name in enumerate(features) if metric in features[name]]
        points = [(100 * features[name][metric], -i, _colour(name)) for name, i in rows]
        if points:
            x, y, colours = zip(*points, strict=True)
            axes.scatter(x, y, marker=marker, s=26, color=colours)
            axes.scatter([], [], marker=marker, s=26, color="0.3", label=label)
    axes.axvline(100 / evaluation["classes"], color="0.6", linestyle=":", linewidth=1, label="chance")
    axes.set_yticks([-i for i in range(len(features))], [plotted(title(name)) for name in features])
    axes.set_ylim(-len(features) + 0.5, 0.5)
    axes.set_xlim(left=0)
    axes.grid(axis="y", color="0.92")
    axes.set_axisbelow(True)
    above = {"ncols": 4, "loc": "lower center", "bbox_to_anchor": (0.4, 1), "columnspacing": 1}
    explained(axes, "validation accuracy (%)", "", **above)


def _few_labels(axes, features: dict, evaluation: dict) -> None:
    for name, measured in features.items():
        shares = {column: share for column, share in _LABELLED.items() if column.name in measured}
        accuracies = [100 * measured[column.name] for column in shares]
        deviations = [100 * measured.get(column.deviation, 0) for column in shares]
        look = {"color": _colour(name), "marker": "o", "markersize": 4, "linewidth": 1.5, "capsize": 2}
        axes.errorbar(shares.values(), accuracies, deviations, label=plotted(title(name)), **look)
    axes.set_xscale("log")
    axes.set_xticks(list(_LABELLED.values()), [f"{share} %" for share in _LABELLED.values()])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    explained(axes, "training labels", "accuracy of the linear probe (%)", loc="upper left")


def _spectrum(axes, gauges: dict, evaluation: dict) -> None:
    for name, measured in gauges.items():
        values = measured["spectrum"]
        label = f"{plotted(title(name))} ({measured['rank_me']:.0f})"
        axes.plot(range(1, len(values) + 1), values, color=_colour(name), linewidth=1.5, label=label)
    axes.set_yscale("log")
    axes.set_ylim(1e-4, 1.2)
    y = "singular value of training codes"
    explained(axes, "number of the singular value", y, title="RankMe in brackets", title_fontsize=7)


def _colour(name: str) -> str:
    row = ROWS.get(name)
    return "k" if row is None else _BASELINES.get(row.features, _ENCODERS[row.encoder])
