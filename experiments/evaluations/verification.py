"""What is drawn and written of verifications: distances of pairs, ROC curves, shares in words."""

from collections.abc import Sequence

import numpy as np

BLUE, ORANGE, GREEN, PINK, YELLOW, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
GREY = "0.45"  # with the colours above, those of Okabe and Ito
_LEAST_FAR = 1e-3


def draw_roc(axes, curves: Sequence[tuple], band: Sequence[tuple] = ()) -> None:
    """Draws ROC curves over a logarithmic axis, and chance.

    Args:
        axes: of matplotlib.
        curves: (false accept rates, true accept rates, name, style) each, style being options of a line.
        band: (false accept rates, least and greatest true accept rates, colour) each.
    """
    for far, tar, name, style in curves:
        axes.plot(far, tar, label=name, **{"linewidth": 1.6, **style})
    for far, least, greatest, colour in band:
        axes.fill_between(far, least, greatest, color=colour, alpha=0.18, linewidth=0)
    chance = np.geomspace(_LEAST_FAR, 1)
    axes.plot(chance, chance, color="0.6", linestyle=":", linewidth=1, label="chance")
    axes.set_xscale("log")
    axes.set_xlim(_LEAST_FAR, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("different pairs accepted (FAR)", fontsize=9)
    axes.set_ylabel("same pairs accepted (TAR)", fontsize=9)
    axes.legend(fontsize=7, frameon=False, loc="upper left")
    finish(axes)


def draw_distances(axes, distances: np.ndarray, same: np.ndarray, threshold: float, metric: str) -> None:
    """Draws histograms of the distances of same and of different pairs, and the threshold.

    Args:
        axes: of matplotlib.
        distances: [M].
        same: [M] bool.
        threshold: the greatest distance that is taken for same.
        metric: its name.
    """
    edges = np.linspace(0, np.quantile(distances, 0.999), 61)
    for which, name, colour in (same, "same", GREEN), (~same, "different", ORANGE):
        axes.hist(distances[which], edges, density=True, histtype="stepfilled", alpha=0.35, color=colour)
        axes.hist(distances[which], edges, density=True, histtype="step", color=colour, label=f"{name} pairs")
    axes.axvline(threshold, color="0.2", linestyle="--", linewidth=1, label=f"threshold {threshold:.3g}")
    axes.set_xlim(0, edges[-1])
    axes.set_xlabel(f"{metric} distance", fontsize=9)
    axes.set_ylabel("density", fontsize=9)
    axes.legend(fontsize=7, frameon=False)
    finish(axes)


def finish(axes) -> None:
    """The look of all panels."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def percent(share: float | None, deviation: float | None = None) -> str:
    """Of 1, with one decimal; `too few pairs` for None."""
    if share is None:
        return "too few pairs"
    return f"{100 * share:.1f} %" if deviation is None else f"{100 * share:.1f} ± {100 * deviation:.1f} %"
