"""Forward against reverse KL: one Gaussian fitted to two peaks covers both, or seeks one.

Source of the picture: C. Bishop, Pattern Recognition and Machine Learning (2006), figure 10.3.
"""

import math
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp
from scipy.stats import norm

from dim.pictures.figures import BLUE, GREY, ORANGE, panels, save, titled
from experiments.measures.row import Row
from experiments.tables import number

WEIGHTS, MEANS, DEVIATIONS = (0.6, 0.4), (-3.0, 3.0), (0.6, 0.8)
X = np.linspace(-14, 14, 2801)
STEP = float(X[1] - X[0])
LOG_P = logsumexp(norm.logpdf(X[:, None], MEANS, DEVIATIONS), axis=1, b=WEIGHTS)
_MINIMA = "Gaussian of least KL(Gaussian ‖ mixture)", "its second, local minimum"


def forward(mean: float, deviation: float) -> float:
    """KL(mixture ‖ Gaussian), by the trapezoid rule, which is exact to rounding here."""
    return float(np.trapezoid(np.exp(LOG_P) * (LOG_P - norm.logpdf(X, mean, deviation)), dx=STEP))


def reverse(mean: float, deviation: float) -> float:
    """KL(Gaussian ‖ mixture)."""
    log_q = norm.logpdf(X, mean, deviation)
    return float(np.trapezoid(np.exp(log_q) * (log_q - LOG_P), dx=STEP))


def fit(divergence, mean: float) -> tuple[float, float]:
    """Mean and deviation at the minimum that is found from a mean and a deviation of 1."""
    found = minimize(lambda v: divergence(v[0], math.exp(v[1])), [mean, 0.0], options={"gtol": 1e-8})
    return float(found.x[0]), math.exp(found.x[1])


def two_directions(folder: Path) -> list[Row]:
    """Fits in both directions and draws what comes of it."""
    covering = fit(forward, 0.0)
    seeking = sorted((fit(reverse, mean) for mean in MEANS), key=lambda at: reverse(*at))
    average = sum(w * m for w, m in zip(WEIGHTS, MEANS, strict=True))
    square = sum(w * (s**2 + m**2) for w, m, s in zip(WEIGHTS, MEANS, DEVIATIONS, strict=True))
    spread = math.sqrt(square - average**2)
    _draw(folder / "two_directions.png", covering, seeking)
    remark = f"covers: the mixture's own mean and deviation (closed form); {forward(*covering):.4f} nats"
    what = "two peaks: Gaussian of least KL(mixture ‖ Gaussian)"
    rows = [Row(what, number(average, spread, 4), number(*covering, 4), remark)]
    for which, at in zip(_MINIMA, seeking, strict=True):
        peak = int(np.argmin([abs(at[0] - mean) for mean in MEANS]))
        remark = f"seeks: a peak of the mixture (source: that peak); {reverse(*at):.4f} nats, "
        remark += f"about ln 1/{WEIGHTS[peak]} = {-math.log(WEIGHTS[peak]):.4f}"
        source = number(MEANS[peak], DEVIATIONS[peak], 1)
        rows.append(Row(f"two peaks: {which}", source, number(*at, 4), remark))
    return rows


def _draw(file: Path, covering: tuple, seeking: list[tuple]) -> None:
    figure, (left, right) = panels(2, width=8.5)
    left.fill_between(X, np.exp(LOG_P), color="0.87", lw=0)
    left.plot(X, np.exp(LOG_P), color=GREY, lw=1)
    left.plot(X, norm.pdf(X, *covering), color=BLUE, lw=1.8)
    for at, style in zip(seeking, ("-", "--"), strict=True):
        left.plot(X, norm.pdf(X, *at), color=ORANGE, lw=1.8, ls=style)
    left.annotate("mixture p", (4.9, 0.065), color=GREY, fontsize=8)
    left.annotate("least KL(p ‖ q):\ncovers both", (-1.9, 0.17), color=BLUE, fontsize=8)
    left.annotate("least KL(q ‖ p):\nseeks one", (-7.0, 0.5), color=ORANGE, fontsize=8)
    left.annotate("or, locally,\nthe other", (4.2, 0.4), color=ORANGE, fontsize=8)
    left.set_xlim(-7.2, 7.2)
    left.set_ylim(0, 0.72)
    titled(left, "One Gaussian q for two peaks", "x", "density")

    means = np.linspace(-4, 5, 91)
    deviations = np.geomspace(0.3, 6, 40)
    for divergence, colour, name in (forward, BLUE, "KL(p ‖ q)"), (reverse, ORANGE, "KL(q ‖ p)"):
        least = [min(divergence(mean, deviation) for deviation in deviations) for mean in means]
        right.plot(means, least, color=colour, lw=1.8, label=name)
    right.set_ylim(0, 4)
    right.legend(frameon=False, fontsize=8)
    titled(right, "Each for its best deviation: one valley, or two", "mean of q", "nats")
    save(figure, file)
