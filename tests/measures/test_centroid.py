"""The nearest-centroid classifier: scikit-learn's checks and models, loops, invariance, bad input."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from dim.measures import CentroidClassifier
from dim.measures.distances import METRICS

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


@pytest.mark.parametrize("metric", METRICS)
def test_it_passes_the_checks_of_scikit_learn(metric):
    check_estimator(CentroidClassifier(metric=metric), on_skip=None)


@pytest.mark.parametrize(("metric", "theirs"), [("l1", "manhattan"), ("l2", "euclidean")])
def test_it_decides_as_scikit_learns_own(metric, theirs):
    ours = CentroidClassifier(metric).fit(X, NAMES)
    reference = NearestCentroid(metric=theirs).fit(X, NAMES)
    np.testing.assert_allclose(ours.centroids_, reference.centroids_, rtol=1e-12)
    np.testing.assert_array_equal(ours.predict(X), reference.predict(X))


def test_pooled_mahalanobis_is_discriminant_analysis_with_equal_priors():
    keep = np.r_[0:50, 50:80, 100:110]
    reference = LinearDiscriminantAnalysis(priors=[1 / 3] * 3).fit(X[keep], Y[keep])
    ours = CentroidClassifier().fit(X[keep], Y[keep])
    np.testing.assert_array_equal(ours.predict(X), reference.predict(X))
    scale = np.array([1, 1e3, 1e-4, 7.0])
    np.testing.assert_array_equal(ours.predict(X), ours.fit(X[keep] * scale, Y[keep]).predict(X * scale))


def test_covariances_of_classes_against_a_loop():
    ours = CentroidClassifier(covariance="class").fit(X, NAMES)
    for i in range(0, 150, 7):
        squares = []
        for name in ours.classes_:
            group = X[name == NAMES]
            difference = X[i] - group.mean(axis=0)
            inverse = np.linalg.inv(
                (group - group.mean(axis=0)).T @ (group - group.mean(axis=0)) / len(group)
            )
            squares.append(difference @ inverse @ difference)
        np.testing.assert_allclose(ours.distances(X[i : i + 1])[0] ** 2, squares, rtol=1e-9)
        assert ours.predict(X[i : i + 1])[0] == ours.classes_[np.argmin(squares)]


def test_other_powers_and_cosine_against_a_loop():
    groups = [X[k == Y].mean(axis=0) for k in range(3)]
    cubes = [[(np.abs(x - c) ** 3).sum() for c in groups] for x in X]
    angles = [[-(x @ c) / np.linalg.norm(c) for c in groups] for x in X]
    np.testing.assert_array_equal(
        CentroidClassifier("lp", p=3).fit(X, Y).predict(X), np.argmin(cubes, axis=1)
    )
    np.testing.assert_array_equal(
        CentroidClassifier("cosine").fit(X, Y).predict(X), np.argmin(angles, axis=1)
    )


def test_it_works_in_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), CentroidClassifier())
    assert cross_val_score(pipeline, X, NAMES).mean() > 0.95


def test_more_features_than_samples_are_shrunk_or_refused():
    rng = np.random.default_rng(0)
    labels = np.arange(20) % 2
    wide = rng.normal(size=(20, 40)) + 2 * labels[:, None]
    assert CentroidClassifier().fit(wide, labels).score(wide, labels) == 1
    with pytest.raises(ValueError, match=r"covariance is .*ledoit-wolf"):
        CentroidClassifier(shrinkage="none").fit(wide, labels).predict(wide)


@pytest.mark.parametrize(
    ("options", "labels", "message"),
    [
        ({}, [0] * 150, "y holds only one class .*; a classifier needs two or more"),
        (
            {"covariance": "class"},
            ["alone", *NAMES[1:]],
            'y: class alone has one member.*covariance="pooled"',
        ),
        ({"metric": "l3"}, Y, "metric must be one of"),
        ({"metric": "lp", "p": 0.5}, Y, "p must be 1 or more"),
        ({"covariance": "both"}, Y, "covariance must be one of"),
        ({"shrinkage": "yes"}, Y, "shrinkage must be one of"),
    ],
)
def test_messages_name_the_argument_and_the_remedy(options, labels, message):
    with pytest.raises(ValueError, match=message):
        CentroidClassifier(**options).fit(X, labels).predict(X)


def test_a_class_with_one_member_is_fine_where_the_covariance_is_pooled():
    labels = np.array(["alone", *NAMES[1:]])
    assert CentroidClassifier().fit(X, labels).predict(X[:1]) == ["alone"]
