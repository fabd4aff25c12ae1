"""Uniform against binomial: the divergence is not symmetric, and from samples it is infinite.

What a tutorial that draws samples of both and calls `scipy.stats.entropy` on the histograms runs into.
"""

from pathlib import Path

import numpy as np
from scipy.stats import binom

from dim.measures import jensen_shannon_divergence, kl_divergence, probabilities_from_counts
from dim.pictures.figures import BLUE, GREEN, ORANGE, panels, save, titled
from experiments.measures.row import Row, spread

TRIALS = 12
OUTCOMES = np.arange(TRIALS + 1)
UNIFORM = np.full(TRIALS + 1, 1 / (TRIALS + 1))
SOURCE = {0.9: ("1.1847", "7.519"), 0.4: ("0.6194", "1.634")}
BINOMIAL = {p: binom.pmf(OUTCOMES, TRIALS, p) for p in SOURCE}
SAMPLES, REPEATS = 1000, 500
SMOOTHING = (1.0, 0.5, 0.01)


def uniform_and_binomial(folder: Path, seed: int) -> list[Row]:
    """Both directions exactly and from samples, with each remedy for the infinity."""
    rng = np.random.default_rng(seed)
    rows, sampled = [], {}
    for p, exact in BINOMIAL.items():
        sampled[p] = [rng.multinomial(SAMPLES, shape, size=REPEATS) for shape in (UNIFORM, exact)]
        rows += _rows(p, *sampled[p])
    _draw(folder / "uniform_and_binomial.png", sampled)
    return rows


def _rows(p: float, uniform_counts: np.ndarray, counts: np.ndarray) -> list[Row]:
    """Of one binomial, by how often each outcome came up in repeated samples of both: [R, K] each."""
    name, exact, (one_way, other_way) = f"B({TRIALS}, {p})", BINOMIAL[p], SOURCE[p]
    uniform, binomial = probabilities_from_counts(uniform_counts), probabilities_from_counts(counts)
    infinite = np.isinf(kl_divergence(uniform, binomial)).mean()
    unseen = (binomial == 0).sum(axis=1).mean()
    forward, backward = kl_divergence(exact, UNIFORM), kl_divergence(UNIFORM, exact)

    def remedy(what, values, remark):
        return Row(f"— remedy: {what}", "", spread(values, 4), remark)

    what = f"{SAMPLES:,} samples of each, {REPEATS} times"
    drawn = f"{what}; on average {unseen:.1f} of the {TRIALS + 1} outcomes were never drawn"
    known = f"KL({name} ‖ uniform) from samples of the one; exact {forward:.4f}"
    smoothed = f"exact {backward:.4f}; where outcomes are unseen, α decides"
    symmetric = f"exact {jensen_shannon_divergence(UNIFORM, exact):.4f}; never above ln 2 = 0.6931"
    rows = [
        Row(f"KL({name} ‖ uniform)", f"{one_way} nats", f"{forward:.4f} nats", "exact"),
        Row(f"KL(uniform ‖ {name})", f"{other_way} nats", f"{backward:.4f} nats", "exact; not symmetric"),
        Row(f"KL(uniform ‖ {name}), sampled", "", f"infinite in {infinite:.1%}", drawn),
        remedy("the uniform, known, as reference", kl_divergence(binomial, UNIFORM), known),
    ]
    for alpha in SMOOTHING:
        divergences = kl_divergence(uniform, probabilities_from_counts(counts, alpha))
        rows.append(remedy(f"add {alpha:g} to each count", divergences, smoothed))
    return [*rows, remedy("Jensen-Shannon", jensen_shannon_divergence(uniform, binomial), symmetric)]


def _draw(file: Path, sampled: dict) -> None:
    figure, (left, right) = panels(2, width=8.5)
    for shape, colour in zip((*BINOMIAL.values(), UNIFORM), (ORANGE, GREEN, BLUE), strict=True):
        left.plot(OUTCOMES, shape, "o-", ms=3.5, lw=1, color=colour)
    left.annotate("uniform", (0.1, 0.09), color=BLUE, fontsize=8)
    left.annotate("B(12, 0.4)", (3.1, 0.24), color=GREEN, fontsize=8)
    left.annotate("B(12, 0.9)", (7.6, 0.33), color=ORANGE, fontsize=8)
    left.set_ylim(0, 0.42)
    titled(left, "Three distributions of 0 … 12", "outcome", "probability")

    alphas = np.geomspace(1e-4, 10, 26)
    for p, colour in zip(SOURCE, (ORANGE, GREEN), strict=True):
        uniform = probabilities_from_counts(sampled[p][0])
        values = [kl_divergence(uniform, probabilities_from_counts(sampled[p][1], a)) for a in alphas]
        middle, around = np.mean(values, axis=1), np.std(values, axis=1)
        right.plot(alphas, middle, color=colour, lw=1.8)
        right.fill_between(alphas, middle - around, middle + around, color=colour, alpha=0.2, lw=0)
        exact = kl_divergence(UNIFORM, BINOMIAL[p])
        right.axhline(exact, color=colour, lw=1, ls="--")
        at = {"xytext": (0, 4 if p == 0.9 else -11), "textcoords": "offset points"}
        right.annotate(f"exact {exact:.3f}", (1e-4, exact), **at, fontsize=8)
    right.set_xscale("log")
    right.set_ylim(0, 9)
    right.annotate("KL(uniform ‖ B(12, 0.9))", (1.3e-2, 4.9), color=ORANGE, fontsize=8)
    right.annotate("KL(uniform ‖ B(12, 0.4))", (1.6e-3, 2.75), color=GREEN, fontsize=8)
    title = f"What smoothing makes of the infinity ({SAMPLES:,} samples)"
    titled(right, title, "α added to each count", "nats")
    save(figure, file)
