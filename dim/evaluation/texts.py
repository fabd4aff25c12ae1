"""How well vectors of texts tell classes, whatever made them: dense codes or sparse counts."""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC


class NearestMean:
    """The class whose mean is nearest, as scikit-learn's NearestCentroid, which makes sparse counts dense."""

    def fit(self, x, labels: np.ndarray) -> "NearestMean":
        self.classes, of_each = np.unique(labels, return_inverse=True)
        members = np.eye(len(self.classes))[of_each]
        self.means = (x.T @ members / members.sum(axis=0)).T
        return self

    def predict(self, x) -> np.ndarray:
        closeness = x @ self.means.T - np.sum(self.means**2, axis=1) / 2
        return self.classes[np.argmax(closeness, axis=1)]


CLASSIFIERS = {
    "20-NN": lambda: KNeighborsClassifier(20, metric="cosine"),
    "centroid": NearestMean,
    "logistic": lambda: LogisticRegression(C=10, max_iter=300),
    "SVM": lambda: LinearSVC(C=1),
}
"""Of vectors at length 1: cosine neighbours, the nearest mean, and two that learn weights."""


def accuracy_and_f1(predicted: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Of classes [N] and [N]: the share that is right, and F₁ averaged over the classes."""
    return float(np.mean(predicted == labels)), float(f1_score(labels, predicted, average="macro"))


def classified(name: str, train, labels: np.ndarray, test) -> np.ndarray:
    """What a classifier of `CLASSIFIERS` makes of vectors [Q, F], fitted to others [N, F] and labels [N]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return CLASSIFIERS[name]().fit(normalize(train), labels).predict(normalize(test))


def few_labels(name: str, train, labels, test, test_labels, each: Sequence[int], draws: int = 5) -> dict:
    """Accuracies [draws] of a classifier that is told so many labels of each class, by their number.

    The same draws are the same texts for whatever vectors. A class that has fewer gives all.
    """
    found = {}
    for count in each:
        found[count] = []
        for draw in range(draws):
            rng = np.random.default_rng([count, draw])
            members = (rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels))
            rows = np.concatenate([some[:count] for some in members])
            predicted = classified(name, train[rows], labels[rows], test)
            found[count].append(accuracy_and_f1(predicted, test_labels)[0])
    return found
