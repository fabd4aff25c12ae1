"""The plot of a comparison: accuracy over images seen."""

import numpy as np

from dim.evaluation import PIXELS, UNTRAINED
from dim.pictures.figures import BLUE, GREEN, GREY, ORANGE, PINK, SKY, YELLOW, panels
from experiments.compare.training import Entry

_COLOURS = BLUE, ORANGE, GREEN, PINK, YELLOW, SKY, "black"
_LEADER = {"arrowstyle": "-", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0, "relpos": (0, 0.5)}
_STYLES = ("-", (0, (5, 1, 1, 1)), (0, (1, 1)))


def plot(complete: list[Entry], rows: list[dict]):
    """Accuracy over images seen: a line a preset, the mean of its seeds, in a band from least to greatest."""
    from matplotlib.ticker import StrMethodFormatter

    figure, axes = panels(1, 7, 4.3)
    labels = []
    for i, preset in enumerate(dict.fromkeys(entry.preset for entry in complete)):
        curves = np.array([entry.curve for entry in complete if entry.preset == preset])
        seen, each = curves[0, :, 0], 100 * curves[:, :, 1]  # [epochs] and [seeds, epochs]
        middle = each.mean(axis=0)
        colour, style = _COLOURS[i % len(_COLOURS)], _STYLES[i // len(_COLOURS) % len(_STYLES)]
        marker = "o" if len(seen) == 1 else None
        axes.plot(seen, middle, color=colour, linestyle=style, linewidth=1.8, marker=marker)
        if len(curves) > 1:
            axes.fill_between(seen, each.min(axis=0), each.max(axis=0), color=colour, alpha=0.2, linewidth=0)
        labels.append((middle[-1], seen[-1], preset, colour))
    end = max(images for _, images, _, _ in labels)
    for row in rows:
        if row["name"].startswith((UNTRAINED, PIXELS)):
            axes.axhline(100 * row["cosine"], color=GREY, linestyle="--", linewidth=1)
            labels.append((100 * row["cosine"], end, row["name"], "0.35"))
    axes.set_xlim(0, end)
    _label(axes, labels)
    axes.set_xlabel("images seen")
    axes.set_ylabel(f"accuracy of {complete[0].k}-NN by cosine (%)")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    note = "lines: mean of the seeds on a fixed sample of the images, in a band from least to greatest"
    figure.supxlabel(f"{note}; dashed: all images", fontsize=7)
    return figure


def _label(axes, labels: list[tuple[float, int, str, str]]) -> None:
    """Names lines at the right, moving names apart that would touch."""
    low, high = axes.get_ylim()
    labels = sorted(labels)
    for _ in range(5):  # making room for names changes the scale, and so the room that they need
        gap = (high - low) * 0.055
        heights = _apart([value for value, *_ in labels], gap)
        low, high = min(low, heights[0] - gap / 2), max(high, heights[-1] + gap / 2)
    axes.set_ylim(low, high)
    how = {"textcoords": axes.get_yaxis_transform(), "va": "center", "fontsize": 9, "annotation_clip": False}
    for height, (value, images, name, colour) in zip(heights, labels, strict=True):
        how |= {"color": colour, "arrowprops": {**_LEADER, "color": colour}}
        axes.annotate(name, (images, value), (1.03, height), **how)


def _apart(wishes: list[float], gap: float) -> np.ndarray:
    """The nearest places to ascending wishes, in least squares, that are a gap or more apart."""
    from scipy.optimize import isotonic_regression

    gaps = gap * np.arange(len(wishes))
    return isotonic_regression(wishes - gaps).x + gaps
