"""Average precision of queries against a loop, and what is left out."""

import numpy as np
import pytest

from dim.data import Dataset, Split
from experiments.report import queries as module
from experiments.report.queries import average_precisions, queries


def by_hand(codes, labels, q):
    """Mean over the class of the share of hits up to each hit, going outwards by cosine."""
    directions = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    order = [i for i in np.argsort(-directions @ directions[q]) if i != q]
    hits, precisions = 0, []
    for rank, i in enumerate(order, 1):
        if labels[i] == labels[q]:
            hits += 1
            precisions.append(hits / rank)
    return np.mean(precisions)


def test_average_precision_is_that_of_a_loop():
    rng = np.random.default_rng(0)
    codes, labels = rng.normal(size=(230, 7)), rng.choice(5, 230, p=[0.4, 0.3, 0.2, 0.08, 0.02])
    labels[17] = 9  # alone in its class
    rows, precision = average_precisions(codes, labels)
    assert 17 not in rows and len(rows) == 229
    assert precision == pytest.approx([by_hand(codes, labels, q) for q in rows])


def test_a_perfect_order_scores_one_and_a_duplicate_is_no_self():
    codes = np.repeat(np.eye(3), 2, axis=0)
    _, precision = average_precisions(codes, np.array([0, 0, 1, 1, 2, 2]))
    assert precision == pytest.approx(1)
    _, precision = average_precisions(codes, np.array([0, 1, 0, 1, 0, 1]))
    assert (precision < 0.7).all()


def dataset(labels):
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 8, 8, 3), "uint8")
    split = Split(images, np.array(labels), [f"{i}.png" for i in range(len(labels))])
    return Dataset("few", split, split, ["one", "two", "three", "four"])


def test_fewer_queries_than_rows_of_the_picture():
    html = queries(dataset([0, 0, 1]), np.eye(3))
    assert html.count("<img") == 2 and "The 2 best of 2 queries" in html


def test_classes_of_one_image_each_leave_nothing_to_ask():
    html = queries(dataset([0, 1, 2]), np.eye(3))
    assert "<img" not in html and "no class has two validation images" in html


def test_the_best_stand_before_the_worst_and_chance_is_that_of_the_others(monkeypatch):
    drawn = []
    monkeypatch.setattr(module.elements, "sheet", lambda pixels, alt: drawn.append((pixels, alt)) or "")
    monkeypatch.setattr(module, "found_grid", lambda *_: [float(caption.split()[0]) for caption in _[-2]])
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 40)
    codes = rng.normal(size=(40, 4))
    html = queries(dataset(labels.tolist()), codes)
    _, precision = average_precisions(codes, labels)
    precision = np.round(np.sort(precision), 2)
    (best, titled_best), (worst, titled_worst) = drawn
    assert "best" in titled_best and "worst" in titled_worst
    assert best == pytest.approx(precision[::-1][:5]) and worst == pytest.approx(precision[:5])
    chance = np.mean([(np.sum(labels == label) - 1) / 39 for label in labels])
    assert f"a random order gives about {chance:.3f}" in html
