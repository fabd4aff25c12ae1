"""How figures look and become files: one palette, one size of letters, no box."""

from collections.abc import Sequence

import numpy as np

from dim.pictures.fonts import covered, rich

BLUE, ORANGE, GREEN, PINK, YELLOW, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
GREY = "0.45"  # with the colours above, those of Okabe and Ito
_LEAST_FAR = 1e-3


def panels(columns: int, width: float = 8.0, height: float = 3.4, **options):
    """A figure in inches, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=200, layout="constrained")
    axes = figure.subplots(1, columns, **options)
    for one in figure.axes:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
    return figure, axes


def titled(axes, title: str, x: str, y: str) -> None:
    """Titles a panel and its axes."""
    axes.set_title(title, fontsize=9, loc="left")
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)


def draw_roc(axes, curves: Sequence[tuple], band: Sequence[tuple] = ()) -> None:
    """Draws ROC curves over a logarithmic axis of `panels`, and chance.

    A curve is (false accept rates, true accept rates, name, style), style being options of a line; a band
    is (false accept rates, least and greatest true accept rates, colour).
    """
    for far, tar, name, style in curves:
        axes.plot(far, tar, label=name, **{"linewidth": 1.6, **style})
    for far, least, greatest, colour in band:
        axes.fill_between(far, least, greatest, color=colour, alpha=0.18, linewidth=0)
    chance = np.geomspace(_LEAST_FAR, 1)
    axes.plot(chance, chance, color="0.6", linestyle=":", linewidth=1, label="chance")
    axes.set(xscale="log", xlim=(_LEAST_FAR, 1), ylim=(0, 1))
    explained(axes, "different pairs accepted (FAR)", "same pairs accepted (TAR)", loc="upper left")


def draw_distances(axes, distances: np.ndarray, same: np.ndarray, threshold: float, metric: str) -> None:
    """Draws histograms of distances [M] of same and different pairs, by `same` [M], and the threshold."""
    edges = np.linspace(0, np.quantile(distances, 0.999), 61)
    for which, name, colour in (same, "same", GREEN), (~same, "different", ORANGE):
        axes.hist(distances[which], edges, density=True, histtype="stepfilled", alpha=0.35, color=colour)
        axes.hist(distances[which], edges, density=True, histtype="step", color=colour, label=f"{name} pairs")
    axes.axvline(threshold, color="0.2", linestyle="--", linewidth=1, label=f"threshold {threshold:.3g}")
    axes.set_xlim(0, edges[-1])
    explained(axes, f"{metric} distance", "density")


def explained(axes, x: str, y: str, **legend) -> None:
    """Titles the axes of a panel, and draws the legend with such options."""
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.legend(fontsize=7, frameon=False, **legend)


def save(figure, file, **how) -> None:
    """Saves a figure as `savefig` does, its texts in fonts that have their letters."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if not text.get_text().isascii():
            written, font = covered(text.get_text())
            text.set_text(written)
            if font != rich():  # the one that matplotlib takes anyway
                text.set_font(font)
    figure.savefig(file, **how)
