"""Few labels: how they are drawn, what they are worth, and the space that they are fitted in."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from dim.evaluation import few_labels
from dim.evaluation.few_labels import few_label_probe
from dim.evaluation.probes import linear_probe, prepare


def blobs(apart=1.0):
    """Three Gaussian classes of unequal size."""
    rng = np.random.default_rng(0)
    labels = rng.choice(3, 390, p=[1 / 6, 1 / 3, 1 / 2])
    x = rng.normal(apart * np.eye(3, 7)[labels], 1)
    return x[:300], labels[:300], x[300:], labels[300:]


def test_few_labels_are_drawn_from_each_class_anew_and_are_worth_less():
    train, labels, val, val_labels = blobs(apart=2)
    data = prepare(train, labels, val, val_labels)
    few = few_label_probe(data, 0.03, draws=4)
    assert len(few) == 4 and len(set(few)) > 1
    assert np.mean(few) < linear_probe(data).accuracy
    assert few == few_label_probe(data, 0.03, draws=4)
    assert few_label_probe(prepare(train, labels, val, np.full(len(val), 77)), 0.03) == [0, 0, 0]
    rows = few_labels._few(labels, 0.1, np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(labels[rows]), np.bincount(labels) / 10, atol=1)


def test_fewer_images_than_features_are_fitted_in_the_space_that_they_span():
    rng = np.random.default_rng(0)
    x, others = (rng.normal(size=(n, 90)).astype("float32") for n in (40, 25))
    x[7] = x[3]  # 39 dimensions
    few, projected = few_labels._in_their_span(x, others)
    assert few.shape == (40, 40) and projected.shape == (25, 40)
    np.testing.assert_allclose(few @ few.T, x @ x.T, atol=1e-3)
    np.testing.assert_allclose(projected @ few.T, others @ x.T, atol=1e-3)
    labels = rng.integers(0, 3, 40)
    whole, within = (LogisticRegression(C=0.1, tol=1e-8).fit(features, labels) for features in (x, few))
    np.testing.assert_allclose(
        within.decision_function(projected), whole.decision_function(others), atol=1e-3
    )
    same, nothing = few_labels._in_their_span(np.zeros((4, 9), "float32"), others[:, :9])
    assert not same.any() and not nothing.any()


def test_each_draw_of_few_labels_is_another_by_seed_and_number():
    data = prepare(*blobs())
    drawn = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(few_labels, "_few", lambda _, share, rng: drawn.append(rng.random()) or np.arange(60))
        few_label_probe(data, 0.2, draws=2, seed=0)
        few_label_probe(data, 0.2, draws=1, seed=1)
        few_label_probe(data, 0.2, draws=1, seed=0)
    assert len(set(drawn)) == 3 and drawn[3] == drawn[0]
