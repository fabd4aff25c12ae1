"""How the figures look: one size of letters, one set of colours, no box."""

from pathlib import Path

from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PINK, YELLOW, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
GREY = "0.45"  # with the colours above, those of Okabe and Ito


def panels(columns: int, width: float = 8.0, height: float = 3.4, rows: int = 1, **options):
    """A figure in inches, and its axes."""
    figure = Figure(figsize=(width, height), dpi=200, layout="constrained")
    axes = figure.subplots(rows, columns, **options)
    for one in figure.axes:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
    return figure, axes


def finish(axes, title: str, x: str, y: str) -> None:
    """Titles a panel and its axes."""
    axes.set_title(title, fontsize=9, loc="left")
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)


def save(figure: Figure, file: Path) -> None:
    """Writes a PNG."""
    figure.savefig(file)
