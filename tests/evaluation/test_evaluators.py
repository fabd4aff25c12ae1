"""What is measured together, and what is left out with a word."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.covariance import ledoit_wolf
from sklearn.neighbors import KNeighborsClassifier

from dim.evaluation import clusters, few_labels, mlp_probe
from dim.evaluation.evaluator import LABELS, SVM, TRAINING, Features
from dim.evaluation.evaluators import EVALUATORS
from dim.evaluation.probes import linear_probe


@pytest.fixture
def without_mlp(monkeypatch):
    """Training takes seconds, and is none of what these tests are about."""
    monkeypatch.setattr(mlp_probe, "mlp_probe", lambda data, seed: linear_probe(data))


def measured_of(features, *offers):
    """Of all evaluators that need no more than labels and what is offered besides."""
    measured, settings = {}, {}
    for evaluator in EVALUATORS:
        if evaluator.needs <= {LABELS, *offers}:
            found = evaluator.measure(features)
            settings |= found.pop("settings", {})
            assert not measured.keys() & found.keys()
            measured |= found
    return {**measured, "settings": settings} if settings else measured


def features(N=400, Q=60, classes=2, seed=0, **more):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, N + Q)
    x = rng.normal(labels[:, None] * [3, 0, 1], 1)
    return Features(x[:N], labels[:N], x[N:], labels[N:], **more)


def test_everything_is_measured_and_lies_within_its_bounds(monkeypatch):
    monkeypatch.setattr(mlp_probe, "EPOCHS", 2)
    given = features(metrics=("l2", "cosine", "l1", "mahalanobis"))
    measured = measured_of(given, TRAINING, SVM)
    assert measured.pop("length") == 3
    assert set(measured.pop("settings")) == {"linear", "mlp", "svm"}
    retrieval = {
        f"{metric}_{name}"
        for metric in given.metrics
        for name in ("recall_at_1", "precision_at_10", "r_precision", "map_at_r")
    }
    few = {"linear_1", "linear_1_deviation", "linear_10", "linear_10_deviation"}
    assert set(measured) == retrieval | few | {"knn5_l2", "knn20_cosine", "knn200_cosine", "ami"} | {
        "linear",
        "mlp",
        "svm",
    }
    assert all(0 <= value <= 1 for value in measured.values())
    assert measured["linear"] > 0.85 and measured["l2_recall_at_1"] > 0.8
    assert not given.notes


def test_what_is_too_little_for_a_metric_is_left_out_with_a_word(without_mlp):
    given = features(N=100, Q=9)
    measured = measured_of(given, TRAINING)
    assert "knn200_cosine" not in measured and "linear_1" not in measured
    assert "knn20_cosine" in measured and "linear_10" in measured
    assert measured["l2_precision_at_10"] is None
    notes = " / ".join(given.notes)
    assert "200-NN needs 200 training images; there are 100" in notes
    assert "1% of the labels is less than two for each class" in notes
    assert "Precision@10 needs more than 10" in notes


def test_a_class_for_each_image_leaves_no_retrieval_and_one_class_leaves_no_probe(without_mlp):
    given = features(Q=20)
    alone = Features(given.train, given.train_labels, given.val, np.arange(20), notes=given.notes)
    assert not [name for name in measured_of(alone) if name.startswith("l2_")]
    single = Features(given.train, given.train_labels * 0, given.val, given.val_labels, notes=given.notes)
    assert "linear" not in measured_of(single, TRAINING)
    notes = " / ".join(given.notes)
    assert "no class has two members" in notes and "at least two training images and two classes" in notes


def test_without_probes_there_are_neighbours_and_clusters_alone():
    measured = measured_of(features())
    assert "knn5_l2" in measured and "ami" in measured
    assert not {"linear", "mlp", "linear_1", "settings"} & set(measured)


def test_collapsed_features_lose_the_mahalanobis_distance_and_nothing_else():
    given = features()
    same = Features(
        given.train * 0 + 1,
        given.train_labels,
        given.val * 0 + 1,
        given.val_labels,
        metrics=("mahalanobis", "l2"),
    )
    measured = measured_of(same)
    assert "do not vary" in measured["mahalanobis_left_out"] and "mahalanobis_map_at_r" not in measured
    assert {"l2_map_at_r", "knn20_cosine", "ami"} < set(measured)


def rays(N=400, Q=120, classes=5, seed=1, **more):
    """Classes that overlap, of vectors of many lengths, so that no two rules of voting agree on all."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, N + Q)
    x = (np.eye(classes)[labels] + rng.normal(0, 0.7, (N + Q, classes))) * rng.uniform(0.2, 3, (N + Q, 1))
    return Features(x[:N], labels[:N], x[N:], labels[N:], **more)


def test_five_vote_by_l2_and_the_others_by_weights_of_cosine_all_with_training_labels():
    given = rays()
    measured = measured_of(given)

    def score(k, metric, weights):
        voters = KNeighborsClassifier(k, metric=metric, algorithm="brute", weights=weights)
        return voters.fit(given.train, given.train_labels).score(given.val, given.val_labels)

    nearest_first = 1 + 1e-3 * 0.5 ** np.arange(5)  # of equal votes the class of the nearest wins
    assert measured["knn5_l2"] == score(5, "euclidean", lambda d: np.tile(nearest_first, (len(d), 1)))
    for k in 20, 200:
        assert measured[f"knn{k}_cosine"] == score(k, "cosine", lambda d: np.exp((1 - d) / 0.07))


def test_retrieval_is_among_validation_images_by_each_metric_and_mahalanobis_by_training_covariance():
    given = rays(metrics=("l2", "cosine", "l1", "mahalanobis"))
    given.train = given.train * [9, 1, 1, 1, 0.1]
    inverse = np.linalg.inv(ledoit_wolf(given.train)[0])
    measured = measured_of(given)
    found = set()
    for name, theirs, options in (
        ("l2", "euclidean", {}),
        ("cosine", "cosine", {}),
        ("l1", "cityblock", {}),
        ("mahalanobis", "mahalanobis", {"VI": inverse}),
    ):
        distances = cdist(given.val, given.val, theirs, **options)
        np.fill_diagonal(distances, np.inf)
        hits = given.val_labels[distances.argmin(axis=1)] == given.val_labels
        assert measured[f"{name}_recall_at_1"] == pytest.approx(hits.mean())
        found.add(hits.tobytes())
    assert len(found) == 4


def test_one_seed_decides_all_that_is_random(monkeypatch):
    given, asked = replace(rays(), seed=7), []

    def standing_in(module, name, answer):
        monkeypatch.setattr(module, name, lambda *a, **b: asked.append((name, a, b)) or answer(*a))

    standing_in(clusters, "cluster_agreement", lambda vectors, labels, seed: float(np.sum(labels)))
    standing_in(mlp_probe, "mlp_probe", lambda data, seed: linear_probe(data))
    standing_in(few_labels, "few_label_probe", lambda data, share: [0.2, 0.3, 0.7])
    measured = measured_of(given, TRAINING)
    assert [name for name, *_ in asked] == ["mlp_probe", "few_label_probe", "cluster_agreement"]
    assert [(a[-1:] if type(a[-1]) is int else (b["seed"],)) for _, a, b in asked] == [(7,)] * 3
    assert measured["ami"] == given.val_labels.sum()
    assert measured["linear_10"] == pytest.approx(0.4)  # one in a hundred is less than two for each class
    assert measured["linear_10_deviation"] == pytest.approx(np.sqrt(0.14 / 2))
