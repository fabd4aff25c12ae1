"""Space worms: how many teeth they have, and what two models of it cost.

Source: T. Ganegedara, "Intuitive guide to understanding KL divergence" (2018), after W. Kurt,
"Kullback-Leibler divergence explained" (2017), https://www.countbayesie.com/blog/2017/5/9/kullback-leibler-divergence-explained
"""

import math
from pathlib import Path

import numpy as np
from scipy.stats import binom

from dim.measures import cross_entropy, entropy, kl_divergence
from dim.pictures.figures import BLUE, GREY, ORANGE, panels, save, titled
from experiments.measures.row import Row

TEETH = np.arange(11)
WORMS = np.array([0.02, 0.03, 0.05, 0.14, 0.16, 0.15, 0.12, 0.08, 0.1, 0.08, 0.07])
UNIFORM = np.full(11, 1 / 11)
MEAN = float(WORMS @ TEETH)
BINOMIAL = binom.pmf(TEETH, 10, MEAN / 10)
PRINTED_P = 0.57  # the source's success probability


def space_worms(folder: Path) -> list[Row]:
    """Computes the source's numbers again and draws the three distributions and their costs."""
    bits = entropy(WORMS, base=2)
    to_uniform, to_binomial = kl_divergence(WORMS, UNIFORM), kl_divergence(WORMS, BINOMIAL)
    elsewhere = kl_divergence(WORMS, binom.pmf(TEETH, 10, PRINTED_P))
    _draw(folder / "space_worms.png")
    wrong = f"the source is wrong: its own probabilities have {bits:.3f} bits, {entropy(WORMS):.3f} nats"
    mean = f"the source is wrong: a mean of {MEAN:.2f} teeth of 10"
    uniform = f"costs {to_uniform / math.log(2):.3f} bits a worm more than the {bits:.3f} it must"
    fitted = f"costs {to_binomial / math.log(2):.3f} bits a worm more; this is with p = {MEAN / 10:.3f}"
    fitted += f", with the source's p = {PRINTED_P} it would be {elsewhere:.4f} nats"
    return [
        Row("worms: entropy", "3.12 bits", f"{bits:.4f} bits", wrong),
        Row("worms: binomial success probability", f"{PRINTED_P}", f"{MEAN / 10:.3f}", mean),
        Row("worms: KL(data ‖ uniform)", "0.1367 nats", f"{to_uniform:.4f} nats", uniform),
        Row("worms: KL(data ‖ binomial)", "0.4273 nats", f"{to_binomial:.4f} nats", fitted),
    ]


def _draw(file: Path) -> None:
    figure, (left, right) = panels(2, width=8.5, width_ratios=(1.7, 1))
    shapes = ("observed", WORMS, GREY), ("uniform", UNIFORM, BLUE), ("binomial", BINOMIAL, ORANGE)
    for i, (name, p, colour) in enumerate(shapes):
        left.bar(TEETH + 0.28 * (i - 1), p, width=0.26, color=colour, label=name)
    left.set_xticks(TEETH)
    left.legend(frameon=False, fontsize=8)
    titled(left, "How many teeth space worms have", "teeth", "probability")

    bits = entropy(WORMS, base=2)
    for i, (_, p, colour) in enumerate(shapes):
        total = cross_entropy(WORMS, p, base=2)
        right.barh(-i, bits, color="0.85", height=0.6)
        right.barh(-i, total - bits, left=bits, color=colour, height=0.6)
        text = f"{total:.3f}" if i == 0 else f"{total:.3f}  (+{total - bits:.3f})"
        right.annotate(text, (total, -i), (4, 0), textcoords="offset points", va="center", fontsize=8)
    right.set_yticks([0, -1, -2], [name for name, _, _ in shapes])
    right.set_xlim(0, 5.6)
    titled(right, "Length of a code made for each", "bits a worm", "")
    save(figure, file)
