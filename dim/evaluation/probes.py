"""Linear classifiers on frozen features, and what few labels are worth to them.

Settings are chosen on a slice of the training images, a tenth of each class. The classifier is then
fitted to all training images, and validation images are looked at once, for its accuracy.
"""

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ShuffleSplit, StratifiedShuffleSplit, train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

STRENGTHS = (0.1, 1.0, 10.0, 100.0)
"""C of scikit-learn times the length of the features, so that one range serves all lengths."""
_SLICE, _STEPS = 0.1, 50
_MOST_VALUES = 2**27  # 512 MB of float32
_BLOCK = 1000


class ProbeResult(NamedTuple):
    """Accuracy on the validation images, a share of 1, and the setting that the slice chose."""

    accuracy: float
    setting: dict


@dataclass(frozen=True)
class ProbeData:
    """Features as a probe takes them.

    Attributes:
        train: [N, F] float32, of mean 0 and standard deviation 1 over the training images. The last rows
            are the slice on which settings are chosen.
        labels: [N] int.
        slice_size: how many rows that are.
        val: [Q, F] float32, moved and scaled like the training images.
        val_labels: [Q] int.
    """

    train: np.ndarray
    labels: np.ndarray
    slice_size: int
    val: np.ndarray
    val_labels: np.ndarray

    def without_slice(self) -> tuple[np.ndarray, np.ndarray]:
        return self.train[: -self.slice_size], self.labels[: -self.slice_size]

    def slice(self) -> tuple[np.ndarray, np.ndarray]:
        return self.train[-self.slice_size :], self.labels[-self.slice_size :]


def prepare(
    train: np.ndarray, labels: np.ndarray, val: np.ndarray, val_labels: np.ndarray, seed: int = 0
) -> ProbeData:
    """Standardises features and sets a slice of the training images apart.

    Of more training values than fit into 512 MB a random part of the images is taken.

    Args:
        train: [N, F] of any type, memory-mapped or not.
        labels: [N] int.
        val: [Q, F].
        val_labels: [Q] int.
        seed: of the choice of the slice.

    Raises:
        ValueError: there are fewer than two training images or classes.
    """
    if len(train) < 2 or len(np.unique(labels)) < 2:
        raise ValueError("a probe needs at least two training images and two classes")
    rows = np.arange(len(train))
    most = max(2, _MOST_VALUES // train.shape[1])
    if len(rows) > most:
        rows, _ = _divided(rows, labels, most, seed)
    fit, held = _divided(rows, labels[rows], len(rows) - max(1, round(_SLICE * len(rows))), seed)
    order = np.concatenate([fit, held])
    x, scaler = np.empty((len(order), train.shape[1]), "float32"), StandardScaler()
    for start in range(0, len(order), _BLOCK):
        block = slice(start, start + _BLOCK)
        x[block] = train[order[block]]
        scaler.partial_fit(x[block])
    mean, scale = scaler.mean_.astype("float32"), scaler.scale_.astype("float32")
    x -= mean
    x /= scale
    return ProbeData(x, labels[order], len(held), (np.asarray(val, "float32") - mean) / scale, val_labels)


def _divided(rows, labels, first: int, seed: int):
    """Two parts at random, of each class in the same proportion where the classes are large enough."""
    try:
        return train_test_split(rows, train_size=first, stratify=labels, random_state=seed)
    except ValueError:  # a class with one member, or a part with fewer images than classes
        return train_test_split(rows, train_size=first, random_state=seed)


def linear_probe(data: ProbeData) -> ProbeResult:
    """Logistic regression with an L2 penalty, at most 50 steps of L-BFGS.

    Penalties become weaker and fits slower, each from where the last one ended, until one is no better on
    the slice.
    """
    best, fitted = (-1.0, 0.0, None), None
    for strength in STRENGTHS:
        fitted = _logistic(strength / data.train.shape[1], *data.without_slice(), start=fitted)
        score = fitted.score(*data.slice())
        if score <= best[0]:
            break
        best = score, strength, fitted
    _, strength, fitted = best
    final = _logistic(strength / data.train.shape[1], data.train, data.labels, start=fitted)
    return ProbeResult(float(final.score(data.val, data.val_labels)), {"strength": strength})


def _logistic(C: float, x: np.ndarray, y: np.ndarray, start: LogisticRegression | None) -> LogisticRegression:
    classifier = LogisticRegression(C=C, max_iter=_STEPS, tol=1e-3, warm_start=True)
    if start is not None and np.array_equal(start.classes_, np.unique(y)):
        classifier.coef_, classifier.intercept_ = start.coef_, start.intercept_
    return _fitted(classifier, x, y)


def svm_probe(data: ProbeData) -> ProbeResult:
    """Linear support vector machines, one class against the rest, by the hinge loss as in the paper."""

    def fitted(strength, x, y):
        C = strength / data.train.shape[1]
        return _fitted(LinearSVC(C=C, loss="hinge", random_state=0), x, y)

    scores = [fitted(strength, *data.without_slice()).score(*data.slice()) for strength in STRENGTHS]
    strength = STRENGTHS[int(np.argmax(scores))]
    accuracy = fitted(strength, data.train, data.labels).score(data.val, data.val_labels)
    return ProbeResult(float(accuracy), {"strength": strength})


def few_label_probe(data: ProbeData, share: float, draws: int = 3, seed: int = 0) -> list[float]:
    """Accuracy of the linear probe when only some training images have labels.

    Each draw keeps that share of each class, at least one image, and chooses its setting by
    cross-validation within them, so that no other label is ever seen. Standardisation uses all
    training images, which needs no labels. Fewer images than features are fitted in the space that they
    span, where the solution lies, since the penalty is one on the length of the weights.

    Args:
        data: of `prepare`.
        share: of the labels, such as 0.01.
        draws: how often to choose the labelled images anew.
        seed: of the draws.

    Returns:
        The validation accuracy of each draw, shares of 1.
    """
    grid = {"C": [strength / data.train.shape[1] for strength in STRENGTHS]}
    accuracies = []
    for draw in range(draws):
        rows = _few(data.labels, share, np.random.default_rng([seed, draw]))
        y, (x, val) = data.labels[rows], _in_their_span(data.train[rows], data.val)
        repeats = 5 if len(rows) < 500 else 1
        search = GridSearchCV(
            LogisticRegression(max_iter=_STEPS, tol=1e-3),
            grid,
            cv=_splits(y, repeats, seed),
            scoring="accuracy",
        )
        accuracies.append(_fitted(search, x, y).score(val, data.val_labels))
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
    rows = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        rows.extend(rng.permutation(members)[: max(1, round(share * len(members)))])
    return np.array(rows)


def _splits(labels: np.ndarray, repeats: int, seed: int):
    """One in five is held out, and of each class at least one, unless a class has a single member."""
    classes, members = np.unique(labels, return_counts=True)
    held = max(len(classes), len(labels) // 5)
    kind = StratifiedShuffleSplit if members.min() > 1 else ShuffleSplit
    return kind(repeats, test_size=held, random_state=seed)


def _fitted(classifier, x: np.ndarray, y: np.ndarray):
    # With as few columns as classes, threads of a matrix product wait for each other longer than they work.
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        # Weak penalties take longest, and those that need more steps are seldom the best.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return classifier.fit(x, y)
