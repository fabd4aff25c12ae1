"""Variational bounds against the truth: correlated Gaussians of 0 to 10 nats.

The picture of Poole and others, "On variational bounds of mutual information" (2019),
https://arxiv.org/abs/1905.06922, figure 2: 20 dimensions, batches of 64, a new batch in every step, and every
few hundred steps more information. Beside it the same bounds with the best critic there is, the log of the
density ratio: what is left then is the fault of the bound.
"""

import math
from pathlib import Path

import numpy as np

from dim.pictures.figures import BLUE, GREEN, GREY, ORANGE, panels, save, titled
from experiments.measures.row import Row, spread

D, BATCH = 20, 64
LEVELS = (0, 2, 4, 6, 8, 10)
FINE_LEVELS = np.linspace(0, 10, 11)
NAMES = {"infonce": "InfoNCE", "nwj": "NWJ", "dv": "Donsker-Varadhan", "mine": "MINE"}
CAP = math.log(BATCH)


def bounds(folder: Path, steps: int, seed: int) -> list[Row]:
    """Trains a critic for each bound, so many steps a level, asks the best critic, and draws both."""
    from tqdm import tqdm

    with tqdm(total=len(NAMES) * len(LEVELS), desc="bounds: training", leave=False) as bar:
        trained = {bound: _train(bound, steps, seed, bar) for bound in NAMES}
    best = _best(steps // 4, seed)
    _draw_trained(folder / "bounds_trained.png", trained, steps)
    _draw_best(folder / "bounds_best_critic.png", best)
    return [_row(bound, level, trained[bound], best, steps) for bound in NAMES for level in (2, 6, 10)]


def log_ratio(x: np.ndarray, y: np.ndarray, information: float) -> np.ndarray:
    """log p(x, y) / p(x)·p(y) of each x with each y, Gaussians that share so many nats: [N, N]."""
    square = -math.expm1(-2 * information / D)  # of the correlation in each dimension
    squares = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)
    return information - (square * squares - 2 * math.sqrt(square) * x @ y.T) / (2 * (1 - square))


def nwj_deviation(information: float) -> float:
    """Standard deviation of NWJ on a batch with the best critic, in nats.

        √( D·r² / N + (exp(2I) - 1 + (1 - r⁴)^-D - 1) / N(N - 1) )                              N = 64

    D·r² is the variance of the log of the ratio in true pairs, exp(2I) - 1 that of the ratio in mismatched
    ones, and the last term the covariance of x with y' and x' with y; no others are correlated.
    """
    square = -math.expm1(-2 * information / D)
    crossed = math.expm1(-D * math.log1p(-(square**2)))
    return math.sqrt(D * square / BATCH + (math.expm1(2 * information) + crossed) / (BATCH * (BATCH - 1)))


def _train(bound: str, steps: int, seed: int, bar) -> np.ndarray:
    """The bound of each batch before it is learned from, level after level: [levels, steps]."""
    import keras

    from dim.evaluation.neural_bounds import NeuralBound, correlated_gaussians

    rng = np.random.default_rng(seed)
    model = NeuralBound(bound, seed=seed)
    model.compile(keras.optimizers.Adam(5e-4))
    found = []
    for information in LEVELS:
        x, y = correlated_gaussians(steps * BATCH, D, information, rng)
        sums = []  # Keras reports the mean of all batches of the level so far
        note = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, sums=sums: sums.append((batch + 1) * logs["bound"])
        )
        samples = {"x": x.astype("float32"), "y": y.astype("float32")}
        model.fit(samples, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[note])
        found.append(np.diff(sums, prepend=0))
        bar.update()
    return np.array(found)


def _best(batches: int, seed: int) -> dict[str, np.ndarray]:
    """The bounds of the best critic on the same single batches: [levels, batches] each."""
    from dim.evaluation.neural_bounds import correlated_gaussians, variational_bound

    rng = np.random.default_rng(seed)
    found = {bound: np.empty((len(FINE_LEVELS), batches)) for bound in ("infonce", "nwj", "dv")}
    for at in np.ndindex(len(FINE_LEVELS), batches):
        information = FINE_LEVELS[at[0]]
        scores = log_ratio(*correlated_gaussians(BATCH, D, information, rng), information)
        for bound, values in found.items():
            offset = 1 if bound == "nwj" else 0  # which the other two leave free
            values[at] = variational_bound(scores + offset, bound)
    return found


def _row(bound: str, level: int, trained: np.ndarray, best: dict, steps: int) -> Row:
    late = trained[LEVELS.index(level)][steps // 2 :]
    of_best = best["dv" if bound == "mine" else bound][list(FINE_LEVELS).index(level)]
    remark = f"best critic {spread(of_best, 2)}"
    if bound == "infonce":
        remark += f"; never above ln {BATCH} = {CAP:.3f}"
    if bound == "nwj":
        exact = nwj_deviation(level)
        remark += f", exactly {level:.2f} ± {exact:.2f}"
        remark += ", nearly all of it from batches too rare to be drawn" if exact > 2 * of_best.std() else ""
    what = f"{NAMES[bound]}, trained, last half of {steps} steps"
    return Row(what, f"{level} nats (true)", spread(late, 2), remark)


def _draw_trained(file: Path, trained: dict[str, np.ndarray], steps: int) -> None:
    figure, axes = panels(len(trained), width=11, height=3, sharey=True)
    window = max(1, steps // 10)
    for one, (bound, values) in zip(axes, trained.items(), strict=True):
        at = np.arange(values.size)
        one.plot(at, values.ravel(), color=BLUE, alpha=0.25, lw=0.5)
        smooth = [np.convolve(level, np.full(window, 1 / window), "valid") for level in values]
        for i, level in enumerate(smooth):
            one.plot(i * steps + window - 1 + np.arange(len(level)), level, color=BLUE, lw=1.8)
        one.step(np.arange(len(LEVELS) + 1) * steps, [*LEVELS, LEVELS[-1]], "k", where="post", lw=1)
        one.axhline(CAP, color=GREY, lw=1, ls="--")
        titled(one, NAMES[bound], "steps", "nats" if one is axes[0] else "")
    axes[0].set_ylim(-1.5, 12.5)
    note = f"light: each batch of {BATCH} before it is learned from; dark: mean of {window}; black: the truth"
    figure.supxlabel(note, fontsize=8)
    axes[0].annotate(f"ln {BATCH}", (0, CAP), (2, 3), textcoords="offset points", fontsize=8, color="0.35")
    save(figure, file)


def _draw_best(file: Path, best: dict[str, np.ndarray]) -> None:
    figure, (left, right) = panels(2, width=8.5)
    for (bound, values), colour in zip(best.items(), (BLUE, ORANGE, GREEN), strict=True):
        middle, around = values.mean(axis=1), values.std(axis=1)
        left.plot(FINE_LEVELS, middle, color=colour, lw=1.8, label=NAMES[bound])
        left.fill_between(FINE_LEVELS, middle - around, middle + around, color=colour, alpha=0.18, lw=0)
        right.plot(FINE_LEVELS[1:], around[1:], color=colour, lw=1.8, label=NAMES[bound])
    left.plot(FINE_LEVELS, FINE_LEVELS, "k", lw=1)
    left.axhline(CAP, color=GREY, lw=1, ls="--")
    left.annotate(f"ln {BATCH}", (9.2, CAP), (0, 3), textcoords="offset points", fontsize=8, color="0.35")
    left.set_ylim(-1, 13)
    left.legend(frameon=False, fontsize=8, loc="upper left")
    titled(left, "The best critic: mean and deviation of a batch's bound", "true information (nats)", "nats")
    exact = [nwj_deviation(information) for information in FINE_LEVELS[1:]]
    right.plot(FINE_LEVELS[1:], exact, color=ORANGE, lw=1.2, ls="--")
    right.annotate("NWJ, exact", (5.7, 40), color=ORANGE, fontsize=8)
    right.set_yscale("log")
    titled(right, f"Deviation from one batch of {BATCH} to the next", "true information (nats)", "nats")
    save(figure, file)
