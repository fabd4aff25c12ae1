"""What few labels are worth to a linear classifier on frozen features."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ShuffleSplit, StratifiedShuffleSplit

from dim.evaluation.evaluator import ACCURACY, LABELS, TRAINING, Evaluator, Features, share
from dim.evaluation.probes import LITTLE, STRENGTHS, ProbeData, fit, prepared

_SHARES = {"linear_1": 0.01, "linear_10": 0.10}  # of the labels
_DEVIATION = "{}_deviation"
_TITLES = {"linear_1": "linear, 1 % of labels", "linear_10": "linear, 10 %"}


def few_label_probe(data: ProbeData, share: float, draws: int = 3, seed: int = 0) -> list[float]:
    """Accuracy of the linear probe on validation images, a share of 1, in each of some draws of few labels.

    Each draw keeps a share of each class, such as 0.01 and at least one image, and chooses its setting by
    cross-validation within them, so that no other label is ever seen. Standardisation uses all
    training images, which needs no labels. Fewer images than features are fitted in the space that they
    span, where the solution lies, since the penalty is one on the length of the weights.
    """
    grid = {"C": [strength / data.train.shape[1] for strength in STRENGTHS]}
    accuracies = []
    for draw in range(draws):
        rows = _few(data.labels, share, np.random.default_rng([seed, draw]))
        y, (x, val) = data.labels[rows], _in_their_span(data.train[rows], data.val)
        cv = _splits(y, 5 if len(rows) < 500 else 1, seed)
        search = GridSearchCV(LogisticRegression(**LITTLE), grid, cv=cv, scoring="accuracy")
        accuracies.append(fit(search, x, y).score(val, data.val_labels))
    return accuracies


def _in_their_span(x: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of [n, F] and of others projected onto them, both [·, n], where n < F.

    By the eigenvectors of the inner products; directions without extent are left at 0.
    """
    if len(x) >= x.shape[1]:
        return x, others
    products = x @ x.T
    squares, vectors = np.linalg.eigh(products.astype("float64"))
    there = squares > 1e-6 * squares[-1]
    axes = (vectors * np.where(there, 1 / np.sqrt(np.where(there, squares, 1)), 0)).astype("float32")
    return products @ axes, others @ x.T @ axes


def _few(labels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    each = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    kept = [rng.permutation(members)[: max(1, round(share * len(members)))] for members in each]
    return np.concatenate(kept)


def _splits(labels: np.ndarray, repeats: int, seed: int):
    """One in five is held out, and of each class at least one, unless a class has a single member."""
    classes, members = np.unique(labels, return_counts=True)
    held = max(len(classes), len(labels) // 5)
    kind = StratifiedShuffleSplit if members.min() > 1 else ShuffleSplit
    return kind(repeats, test_size=held, random_state=seed)


def _measured(features: Features) -> dict[str, float]:
    measured, data = {}, features.once(prepared)
    for name, part in _SHARES.items() if data else ():
        if part * len(data.labels) < 2 * len(np.unique(data.labels)):
            features.note(f"{part:.0%} of the labels is less than two for each class")
            continue
        draws = few_label_probe(data, part, seed=features.seed)
        measured |= {name: np.mean(draws).item(), _DEVIATION.format(name): np.std(draws, ddof=1).item()}
    return measured


_COLUMNS = tuple(share(name, title, deviation=_DEVIATION.format(name)) for name, title in _TITLES.items())
_ABOUT = """
- Fewer labels: mean ± standard deviation of three draws of the linear probe, its settings chosen by
  cross-validation within the labels drawn.
"""
FEW_LABELS = Evaluator("few labels", ACCURACY, {LABELS, TRAINING}, _measured, _COLUMNS, _ABOUT)
