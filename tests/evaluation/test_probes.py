"""Linear probes: what they see of the data, and accuracies that are known."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, PredefinedSplit
from sklearn.preprocessing import StandardScaler

from dim.evaluation import probes
from dim.evaluation.probes import linear_probe, prepare, svm_probe

N, Q, F = 300, 90, 7


def blobs(apart=1.0, seed=0, classes=3):
    """Gaussian classes of unequal size on scales that differ from feature to feature."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, N + Q, p=np.arange(1, classes + 1) / sum(range(1, classes + 1)))
    x = rng.normal(apart * np.eye(classes, F)[labels], 1) * 10.0 ** np.arange(F) + 5
    return x[:N], labels[:N], x[N:], labels[N:]


def test_training_features_are_standardised_and_validation_moves_with_them():
    train, labels, val, val_labels = blobs()
    train[:, 4] = 8  # never changes
    data = prepare(train, labels, val, val_labels)
    assert data.train.mean(axis=0) == pytest.approx(np.zeros(F), abs=1e-4)
    assert data.train.std(axis=0) == pytest.approx([1, 1, 1, 1, 0, 1, 1], abs=1e-4)
    expected = StandardScaler().fit(train).transform(val)
    np.testing.assert_allclose(data.val[:, 5], expected[:, 5], atol=1e-4)


def test_the_slice_is_a_tenth_of_each_class_and_no_image_is_lost():
    train, labels, val, val_labels = blobs()
    data = prepare(train, labels, val, val_labels)
    assert len(data.train) == N and data.slice_size == N // 10
    np.testing.assert_allclose(np.bincount(data.slice()[1]), np.bincount(labels) / 10, atol=1)
    assert sorted(data.labels) == sorted(labels)
    for x, label in zip(data.train[:20], data.labels[:20], strict=True):
        original = np.abs(StandardScaler().fit_transform(train) - x).sum(axis=1).argmin()
        assert labels[original] == label


def test_a_class_with_one_member_does_not_stand_in_the_way():
    train, labels, val, val_labels = blobs()
    labels[0] = 9
    assert linear_probe(prepare(train, labels, val, val_labels)).accuracy > 0.4


def test_more_values_than_fit_into_memory_leave_images_out(monkeypatch):
    monkeypatch.setattr(probes, "_MOST_VALUES", 100 * F)
    data = prepare(*blobs())
    assert data.train.shape == (100, F) and data.slice_size == 10


def weakest_within_an_error(results):
    scores = results["mean_test_score"]
    error = np.sqrt(scores.max() * (1 - scores.max()) / N)
    return max(i for i, score in enumerate(scores) if score >= scores.max() - error)


@pytest.mark.parametrize(
    ("cheap", "cv", "choice"), [(1e9, KFold(5), weakest_within_an_error), (0, None, True)]
)
@pytest.mark.parametrize("apart", [0.5, 1, 3])
def test_it_is_scikit_learns_grid_search_over_all_strengths(cheap, cv, choice, apart, monkeypatch):
    """By the same five folds, or on the same slice where the features are long."""
    monkeypatch.setattr(probes, "CHEAP", cheap)
    data = prepare(*blobs(apart=apart))
    fold = np.where(np.arange(N) < N - data.slice_size, -1, 0)
    search = GridSearchCV(
        LogisticRegression(max_iter=2000, tol=1e-6),
        {"C": np.array([0.1, 1, 10, 100, 1000]) / F},
        cv=cv or PredefinedSplit(fold),
        refit=choice,
    ).fit(data.train, data.labels)
    result = linear_probe(data)
    assert result.setting["folds"] == (5 if cheap else 1)
    assert result.setting["strength"] == pytest.approx(search.best_params_["C"] * F)
    best = LogisticRegression(C=search.best_params_["C"], max_iter=2000, tol=1e-6)
    accuracy = best.fit(data.train, data.labels).score(data.val, data.val_labels)
    assert result.accuracy == pytest.approx(accuracy, abs=0.012)


def test_the_weakest_penalty_is_reached_where_it_is_best():
    """What tells is the small difference of two loud features, so the weights must be long."""
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 2
    loud = rng.normal(0, 20, 400)
    x = np.stack([loud, loud - labels + rng.normal(0, 0.05, 400)], axis=1)
    result = linear_probe(prepare(x[:300], labels[:300], x[300:], labels[300:]))
    assert result.setting["strength"] == 1000


@pytest.mark.parametrize("probe", [linear_probe, svm_probe])
def test_separate_classes_are_told_apart_and_shuffled_labels_are_not(probe):
    train, labels, val, val_labels = blobs(apart=9, classes=2)
    assert probe(prepare(train, labels, val, val_labels)).accuracy == 1
    shuffled = np.random.default_rng(1).permutation(labels)
    assert probe(prepare(train, shuffled, val, val_labels)).accuracy < 0.75  # 2/3 are of one class


@pytest.mark.parametrize("probe", [linear_probe, svm_probe])
def test_validation_labels_decide_nothing(probe):
    """Whatever they are, the probe predicts the same; only what counts as a hit changes."""
    train, labels, val, val_labels = blobs()
    truth, wrong = (probe(prepare(train, labels, val, y)) for y in (val_labels, np.full(Q, 77)))
    assert wrong.accuracy == 0 and wrong.setting == truth.setting


@pytest.mark.parametrize("change", [{"labels": np.zeros(N, int)}, {"train": np.zeros((1, F))}])
def test_nothing_to_tell_apart_is_refused(change):
    train, labels, val, val_labels = blobs()
    given = {"train": train, "labels": labels, "val": val, "val_labels": val_labels, **change}
    with pytest.raises(ValueError, match="at least two"):
        prepare(**given)


@pytest.mark.parametrize(
    ("probe", "classifier"), [(linear_probe, LogisticRegression), (svm_probe, probes.LinearSVC)]
)
def test_the_setting_is_chosen_without_the_last_fit_which_sees_all_images(probe, classifier, monkeypatch):
    fitted, original = [], classifier.fit
    monkeypatch.setattr(classifier, "fit", lambda self, x, y: fitted.append((x, y)) or original(self, x, y))
    data = prepare(*blobs())
    probe(data)
    *trials, (x, y) = fitted
    assert all(len(rows) < N for rows, _ in trials)
    np.testing.assert_array_equal(np.sort(x, axis=0), np.sort(data.train, axis=0))
    np.testing.assert_array_equal(np.bincount(y), np.bincount(data.labels))


def test_labels_stay_with_their_features():
    """Feature 0 is the label."""
    labels, truth = np.arange(100) % 4, np.arange(20) % 4
    data = prepare(labels[:, None] * [1.0, 0], labels, truth[:, None] * [1.0, 0], truth)
    mean, scale = labels.mean(), labels.std()
    np.testing.assert_allclose(data.train[:, 0] * scale + mean, data.labels, atol=1e-5)
    np.testing.assert_allclose(data.val[:, 0] * scale + mean, data.val_labels, atol=1e-5)
