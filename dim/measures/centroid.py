"""Nearest-centroid classification by any distance, as a scikit-learn estimator."""

from typing import Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from dim.measures.distances import (
    METRICS,
    SHRINKAGES,
    Metric,
    Shrinkage,
    estimate_covariance,
    pairwise_distances,
)


class CentroidClassifier(ClassifierMixin, BaseEstimator):
    """Gives each sample the class whose centroid is nearest.

    By `l2` and `l1` the decision is that of scikit-learn's own `NearestCentroid` without priors; that one
    has no other distance. By `mahalanobis` with a pooled covariance it is linear discriminant analysis with
    equal priors.

    Args:
        metric: `l1` (the centroid is the median, which minimises it), `l2`, `lp`, `cosine` or `mahalanobis`
            (the centroid is the mean).
        p: of `lp`.
        covariance: of `mahalanobis`. `pooled`: one, of the samples about the centroids of their classes;
            `class`: one for each class, so that a wide class has long arms.
        shrinkage: of that covariance, see `dim.measures.distances.estimate_covariance`.

    Attributes:
        classes_: [K], sorted.
        centroids_: [K, D].
        covariances_: [1, D, D] pooled or [K, D, D]; of `mahalanobis`.
    """

    def __init__(
        self,
        metric: Metric = "mahalanobis",
        p: float = 2.0,
        covariance: Literal["pooled", "class"] = "pooled",
        shrinkage: Shrinkage = "auto",
    ):
        self.metric, self.p, self.covariance, self.shrinkage = metric, p, covariance, shrinkage

    def fit(self, X, y):
        """Finds the centroid of each class of samples X [N, D], finite, of classes y [N], two or more.

        Raises ValueError if an option or a value cannot be used, y holds one class, or a covariance is
        singular even after the shrinkage that was asked for.
        """
        options = {"metric": METRICS, "covariance": ("pooled", "class"), "shrinkage": SHRINKAGES}
        for name, choices in options.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {choices}, not {getattr(self, name)!r}")
        X, y = validate_data(self, X, y, dtype="float64")
        check_classification_targets(y)
        self.classes_, members = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y holds only one class ({self.classes_[0]}); a classifier needs two or more")
        middle = np.median if self.metric == "l1" else np.mean
        groups = [X[members == k] for k in range(len(self.classes_))]
        self.centroids_ = np.stack([middle(group, axis=0) for group in groups])
        if self.metric == "mahalanobis":
            self.covariances_ = self._covariances(X, members, groups)
        return self

    def distances(self, X) -> np.ndarray:
        """[N, K], the distance of each sample [N, D] to each centroid."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype="float64")
        if self.metric != "mahalanobis":
            return pairwise_distances(X, self.centroids_, self.metric, self.p)
        centroids = self.centroids_[None] if len(self.covariances_) == 1 else self.centroids_[:, None]
        each = zip(centroids, self.covariances_, strict=True)
        return np.hstack([pairwise_distances(X, c, "mahalanobis", covariance=s) for c, s in each])

    def predict(self, X) -> np.ndarray:
        """[N], the class of the nearest centroid; the first of equally near ones."""
        nearest = self.distances(X).argmin(axis=1)
        return self.classes_[nearest]

    def _covariances(self, X: np.ndarray, members: np.ndarray, groups: list[np.ndarray]) -> np.ndarray:
        if self.covariance == "pooled":
            return estimate_covariance(X - self.centroids_[members], self.shrinkage)[None]
        for name, group in zip(self.classes_, groups, strict=True):
            if len(group) < 2:
                remedy = 'give it another, leave it out, or set covariance="pooled"'
                raise ValueError(f"y: class {name} has one member, which has no covariance; {remedy}")
        return np.stack([estimate_covariance(group, self.shrinkage) for group in groups])
