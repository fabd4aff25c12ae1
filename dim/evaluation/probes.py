"""Linear classifiers on frozen features, their settings chosen within the training images."""

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from dim.evaluation.evaluator import ACCURACY, LABELS, SVM, TRAINING, Evaluator, Features, share

STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1000.0)  # C times the length of the features: one range serves all
FOLDS = 5
CHEAP = 5e8  # images times values times classes, up to which all folds take less than a minute of one core
LITTLE, _MUCH = {"max_iter": 50, "tol": 1e-3}, {"max_iter": 300, "tol": 1e-4}  # of L-BFGS
_SLICE = 0.1
_MOST_VALUES = 2**27  # 512 MB of float32
_BLOCK = 1000


class ProbeResult(NamedTuple):
    """Accuracy on the validation images, a share of 1, and the setting that the training images chose."""

    accuracy: float
    setting: dict


@dataclass(frozen=True)
class ProbeData:
    """Features as a probe takes them, of mean 0 and standard deviation 1 over the training images."""

    train: np.ndarray  # [N, F] float32; the last rows are the slice on which settings are chosen
    labels: np.ndarray  # [N] int
    slice_size: int  # how many rows that are
    val: np.ndarray  # [Q, F] float32, moved and scaled like the training images
    val_labels: np.ndarray  # [Q] int

    def without_slice(self) -> tuple[np.ndarray, np.ndarray]:
        return self.train[: -self.slice_size], self.labels[: -self.slice_size]

    def slice(self) -> tuple[np.ndarray, np.ndarray]:
        return self.train[-self.slice_size :], self.labels[-self.slice_size :]


def prepare(
    train: np.ndarray, labels: np.ndarray, val: np.ndarray, val_labels: np.ndarray, seed: int = 0
) -> ProbeData:
    """Standardises features, [N, F] and [Q, F] of any type, and sets a slice of the training images apart.

    Of more training values than fit into 512 MB a random part of the images is taken. The seed is that of
    both choices. Raises ValueError if there are fewer than two training images or classes.
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
    """Logistic regression with an L2 penalty; the setting has its `strength` and the number of `folds`.

    Every strength is tried, by 5-fold cross-validation, and the weakest penalty is taken that is no
    more than one standard error behind the best: a fold knows fewer images than there are, and the fewer,
    the stronger the best penalty. Features beyond `CHEAP` are fitted once for each strength instead, by at
    most 50 steps of L-BFGS, and the best on the slice, as 1 fold, is taken.
    """
    N, F = data.train.shape
    cheap = N * F * len(np.unique(data.labels)) <= CHEAP and N >= FOLDS
    effort = _MUCH if cheap else LITTLE
    if cheap:
        x, y, folds = data.train, data.labels, KFold(FOLDS)  # in random order already
        each = [_scores(x[part], y[part], x[held], y[held], effort) for part, held in folds.split(x)]
        scores = np.mean(each, axis=0)
        error = np.sqrt(scores.max() * (1 - scores.max()) / N)
        chosen = int(np.flatnonzero(scores >= scores.max() - error)[-1])
    else:
        chosen = int(np.argmax(_scores(*data.without_slice(), *data.slice(), effort)))
    final = fit(LogisticRegression(C=STRENGTHS[chosen] / F, **effort), data.train, data.labels)
    setting = {"strength": STRENGTHS[chosen], "folds": FOLDS if cheap else 1}
    return ProbeResult(float(final.score(data.val, data.val_labels)), setting)


def _scores(x, y, held, held_labels, effort: dict) -> list[float]:
    """Accuracy of each strength on what was held out; each fit starts from where the last one ended."""
    scores, classifier = [], LogisticRegression(warm_start=True, **effort)
    for strength in STRENGTHS:
        fit(classifier.set_params(C=strength / x.shape[1]), x, y)
        scores.append(classifier.score(held, held_labels))
    return scores


def svm_probe(data: ProbeData) -> ProbeResult:
    """Linear support vector machines, one class against the rest, by the hinge loss as in the paper."""

    def fitted(strength, x, y):
        return fit(LinearSVC(C=strength / x.shape[1], loss="hinge", random_state=0), x, y)

    strengths = STRENGTHS[:4]  # weaker penalties take minutes
    scores = [fitted(strength, *data.without_slice()).score(*data.slice()) for strength in strengths]
    strength = strengths[int(np.argmax(scores))]
    accuracy = fitted(strength, data.train, data.labels).score(data.val, data.val_labels)
    return ProbeResult(float(accuracy), {"strength": strength})


def fit(classifier, x: np.ndarray, y: np.ndarray):
    """Fits a classifier of scikit-learn to features [N, F] and labels [N], and gives it back.

    One thread does it: with as few columns as classes several wait for each other longer than they work.
    """
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        # Weak penalties take longest, and those that need more steps are seldom the best.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return classifier.fit(x, y)


def prepared(features: Features) -> ProbeData | None:
    """What all probes of some features are given; None, with a note, where there is nothing to learn."""
    x = features
    try:
        data = prepare(x.train, x.train_labels, x.val, x.val_labels, x.seed)
    except ValueError as error:
        features.note(f"probes are left out: {error}")
        return None
    if len(data.train) < len(features.train):
        features.note(f"probes of {data.train.shape[1]:,} values are fitted to {len(data.train):,} images")
    return data


def probe_evaluator(name: str, key: str, title: str, probe, about: str, *needs: str) -> Evaluator:
    """Measures the accuracy of a probe that is given data and a seed; `settings` are what it chose."""

    def measure(features: Features) -> dict:
        data = features.once(prepared)
        if data is None:
            return {}
        accuracy, setting = probe(data, features.seed)
        return {key: accuracy, "settings": {key: setting}}

    return Evaluator(name, ACCURACY, {LABELS, TRAINING, *needs}, measure, (share(key, title),), about)


_ABOUT = """
- Probes see standardised features. Their settings are chosen within the training images; then they are
  fitted to all of them, and validation images are looked at once.
- linear: logistic regression with an L2 penalty, by 5-fold cross-validation the weakest within one standard
  error of the best; where images times values times classes are more than 5e8, the best on a tenth.
"""
_SVM = "- SVM: linear, hinge loss, one class against the rest; the penalty is the best on a tenth."
LINEAR_PROBE = probe_evaluator("linear probe", "linear", "linear", lambda data, _: linear_probe(data), _ABOUT)
SVM_PROBE = probe_evaluator("SVM", "svm", "SVM", lambda data, _: svm_probe(data), _SVM, SVM)
