"""Balls: which points are equally far from one point, by each distance."""

from pathlib import Path

import numpy as np

from dim.measures import pairwise_distances
from dim.pictures.figures import ORANGE, panels, save, titled
from experiments.measures.row import Row

CENTRE = np.array([[1.0, 0.6]])
COVARIANCE = np.array([[1.0, 0.7], [0.7, 0.8]])
ELLIPSE = np.pi * np.sqrt(np.linalg.det(COVARIANCE))
BALLS = {  # the distance, and the area of its unit ball, if it has one
    "L1": ({"metric": "l1"}, 2.0, "2"),
    "L2": ({"metric": "l2"}, np.pi, "π"),
    "L∞": ({"metric": "lp", "p": np.inf}, 4.0, "4"),
    "cosine": ({"metric": "cosine"}, None, ""),
    "Mahalanobis": ({"metric": "mahalanobis", "covariance": COVARIANCE}, ELLIPSE, "π √det Σ"),
}
SIDE = -2 + (np.arange(500) + 0.37) / 100  # neither this nor the shift below lets a ball end on a point


def balls(folder: Path) -> list[Row]:
    """Draws contours of each distance from one point, and measures the unit balls."""
    x, y = np.meshgrid(SIDE, SIDE - 0.3012)
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    fields, rows = {}, []
    for name, (how, area, formula) in BALLS.items():
        fields[name] = pairwise_distances(points, CENTRE, **how).reshape(x.shape)
        if area:
            counted = (fields[name] <= 1).sum() * (SIDE[1] - SIDE[0]) ** 2
            remark = f"closed form {formula}; counted on the grid of the figure"
            rows.append(Row(f"area of the unit ball of {name}", f"{area:.3f}", f"{counted:.3f}", remark))
    _draw(folder / "balls.png", x, y, fields)
    return rows


def _draw(file: Path, x: np.ndarray, y: np.ndarray, fields: dict) -> None:
    figure, axes = panels(len(fields), width=11, height=3.2, sharey=True)
    for one, (name, field) in zip(axes, fields.items(), strict=True):
        levels = [0.1, 0.3, 0.6, 1, 1.5] if name == "cosine" else [0.5, 1, 1.5, 2, 2.5]
        one.contourf(x, y, field, levels=[0, *levels], cmap="Blues_r", extend="max")
        one.contour(x, y, field, levels=levels, colors="0.3", linewidths=0.5)
        one.contour(x, y, field, levels=[1], colors="black", linewidths=1.6)
        one.plot(*CENTRE[0], "o", color=ORANGE, ms=4)
        one.plot(0, 0, "+", color="black", ms=6)
        one.set_aspect("equal")
        one.spines[:].set_visible(False)
        titled(one, name, "at " + ", ".join(f"{level:g}" for level in levels), "")
    figure.supxlabel("equally far from the dot (heavy: distance 1); the cross is the origin", fontsize=8)
    save(figure, file)
