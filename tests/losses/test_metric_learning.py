"""Losses of metric learning against loops in float64, their signs, gradients, collapse, missing partners."""

import math

import numpy as np
import pytest
from keras import ops

from dim.layers.unit import unit
from dim.losses.metric_learning import LOSSES, mean_cosines

SETTINGS = {
    "contrastive": 2.5,
    "cosine": 0.2,
    "triplet-hard": 0.7,
    "triplet-semi-hard": 1.3,
    "supcon": 0.3,
    "n-pair": 0.8,
}
B, D = 11, 5
LABELS = np.array([4, 7, 4, 4, 9, 7, 4, 2, 9, 9, 7])  # unequal classes; 2 has one member


def random_codes(seed=0, scale=1.0, count=B):
    return (scale * np.random.default_rng(seed).normal(size=(count, D))).astype("float32")


def value(name, codes, labels, setting=None):
    setting = SETTINGS[name] if setting is None else setting
    loss = LOSSES[name](ops.convert_to_tensor(codes), ops.convert_to_tensor(labels), setting)
    assert "float32" in str(loss.dtype) and len(loss.shape) == 0
    return float(ops.convert_to_numpy(loss))


def distance(x, y):
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(x, y, strict=True)))


def dot(x, y):
    return sum(a * b for a, b in zip(x, y, strict=True))


def cosine(x, y):
    return dot(x, y) / math.sqrt(dot(x, x) * dot(y, y))


def mean(values):
    return sum(values) / len(values) if values else 0.0


def partners(labels):
    """Of each image: the others of its class, and those of other classes."""
    N = range(len(labels))
    return [
        ([j for j in N if j != i and labels[j] == labels[i]], [j for j in N if labels[j] != labels[i]])
        for i in N
    ]


def slow_contrastive(z, labels, margin):
    found = list(enumerate(partners(labels)))
    pull = [distance(z[i], z[j]) ** 2 for i, (same, _) in found for j in same]
    push = [max(0, margin - distance(z[i], z[j])) ** 2 for i, (_, other) in found for j in other]
    return mean(pull) + mean(push)


def slow_cosine(z, labels, margin):
    found = list(enumerate(partners(labels)))
    pull = [1 - cosine(z[i], z[j]) for i, (same, _) in found for j in same]
    push = [max(0, cosine(z[i], z[j]) - margin) for i, (_, other) in found for j in other]
    return mean(pull) + mean(push)


def slow_triplet_hard(z, labels, margin):
    return mean(
        [
            max(
                0, margin + max(distance(z[a], z[p]) for p in same) - min(distance(z[a], z[n]) for n in other)
            )
            for a, (same, other) in enumerate(partners(labels))
            if same and other
        ]
    )


def slow_triplet_semi_hard(z, labels, margin):
    losses = []
    for a, (same, other) in enumerate(partners(labels)):
        for p in same if other else []:
            positive = distance(z[a], z[p]) ** 2
            negatives = [distance(z[a], z[n]) ** 2 for n in other]
            farther = [n for n in negatives if n > positive]
            losses.append(max(0, margin + positive - (min(farther) if farther else max(negatives))))
    return mean(losses)


def slow_supcon(z, labels, temperature):
    rows = []
    for i, (same, other) in enumerate(partners(labels)):
        if same and other:
            total = sum(math.exp(cosine(z[i], z[k]) / temperature) for k in same + other)
            rows.append(mean([math.log(total) - cosine(z[i], z[p]) / temperature for p in same]))
    return mean(rows)


def slow_n_pair(z, labels, temperature):
    rows = []
    for i, (same, other) in enumerate(partners(labels)):
        if same and other:
            rows.append(
                mean(
                    [
                        math.log(
                            1
                            + sum(math.exp((dot(z[i], z[n]) - dot(z[i], z[p])) / temperature) for n in other)
                        )
                        for p in same
                    ]
                )
            )
    return mean(rows)


SLOW = {
    "contrastive": slow_contrastive,
    "cosine": slow_cosine,
    "triplet-hard": slow_triplet_hard,
    "triplet-semi-hard": slow_triplet_semi_hard,
    "supcon": slow_supcon,
    "n-pair": slow_n_pair,
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("labels", [LABELS, np.arange(B) // 2, np.arange(B) % 2], ids=["unequal", "2", "6"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_that_of_a_loop(name, labels, seed):
    codes = random_codes(seed)
    expected = SLOW[name](codes.astype("float64"), labels, SETTINGS[name])
    assert value(name, codes, labels) == pytest.approx(expected, rel=1e-5)
    assert expected > 0


def test_the_hard_triplet_takes_the_farthest_same_and_the_nearest_different():
    codes = np.array([[0.0], [1.0], [3.0], [4.0], [10.0]], "float32")
    labels = np.array([0, 0, 0, 1, 1])
    # anchors: farthest same minus nearest different: 3-4, 2-3, 3-1, 6-1, 6-7
    assert value("triplet-hard", codes, labels, 2.0) == pytest.approx((1 + 1 + 4 + 7 + 1) / 5)


def test_the_semi_hard_triplet_takes_the_nearest_that_is_farther_than_the_same_or_else_the_farthest():
    codes, labels = np.array([[0.0], [2.0], [1.0], [3.0]], "float32"), np.array([0, 0, 1, 1])
    # (0, 1): d² 4, different 1 and 9 → 9. (1, 0): d² 4, different 1 and 1: none farther → 1. And so on.
    expected = [max(0, 6 + 4 - 9), 6 + 4 - 1, 6 + 4 - 1, max(0, 6 + 4 - 9)]
    assert value("triplet-semi-hard", codes, labels, 6.0) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("name", LOSSES)
def test_a_same_image_that_comes_nearer_lowers_the_loss_and_a_different_one_raises_it(name):
    """Anchor along the first axis; one image of its class and one of another turn towards it."""
    anchor, beside = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])

    def loss(same_angle, different_angle):
        same = np.cos(same_angle) * anchor + np.sin(same_angle) * beside
        different = np.cos(different_angle) * anchor - np.sin(different_angle) * beside
        codes = np.stack([anchor, same, different]).astype("float32")
        return value(name, codes, np.array([0, 0, 1]), {"supcon": 0.3, "n-pair": 0.8}.get(name, 1.0) * 0.9)

    angles = np.array([1.2, 1.0, 0.8, 0.6])
    near_same = [loss(angle, 0.7) for angle in angles]
    assert all(np.diff(near_same) < 0), near_same

    # Its distance to the other same image must not change meanwhile: that one turns into a third dimension.
    def far_loss(angle):
        codes = np.array([[1, 0, 0], [0.6, 0, 0.8], [np.cos(angle), np.sin(angle), 0]], "float32")
        return value(name, codes, np.array([0, 0, 1]), {"supcon": 0.3, "n-pair": 0.8}.get(name, 0.9))

    near_different = [
        far_loss(angle) for angle in ([1.0, 0.9, 0.8, 0.7] if name != "cosine" else [0.4, 0.3, 0.2])
    ]
    assert all(np.diff(near_different) > 0), near_different


@pytest.mark.parametrize("name", LOSSES)
def test_descent_brings_classes_together_and_apart(name, gradient):
    codes, labels = random_codes(3), ops.convert_to_tensor(LABELS)

    def gap(x):
        same, different = (
            float(ops.convert_to_numpy(c)) for c in mean_cosines(ops.convert_to_tensor(x), labels)
        )
        return same - different

    before = gap(codes)
    for _ in range(60):
        codes = codes - 0.1 * gradient(lambda x: LOSSES[name](unit(x), labels, SETTINGS[name]), codes)
    assert gap(codes) > before + 0.2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("contrastive", 2.5**2),
        ("cosine", 0.8),
        ("triplet-hard", 0.7),
        ("triplet-semi-hard", 1.3),
        ("supcon", math.log(B - 1)),
        ("n-pair", np.mean([math.log(1 + (label != LABELS).sum()) for label in LABELS if label != 2])),
    ],
)
def test_the_value_at_collapse_is_known_and_its_gradient_finite(name, expected, gradient):
    codes, labels = np.tile(random_codes(count=1), (B, 1)), ops.convert_to_tensor(LABELS)
    assert value(name, codes, LABELS) == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(gradient(lambda x: LOSSES[name](x, labels, SETTINGS[name]), codes)).all()


@pytest.mark.parametrize("prepared", [lambda x: x, unit], ids=["as they are", "unit"])
@pytest.mark.parametrize("some", ["all", "two", "zero"])
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_finite_where_codes_are_identical(name, some, prepared, gradient):
    codes, labels = random_codes(), ops.convert_to_tensor(LABELS)
    rows = {"all": slice(None), "two": [0, 1, 2], "zero": slice(None)}[some]
    codes[rows] = 0 if some == "zero" else codes[0]
    slope = gradient(lambda x: LOSSES[name](prepared(x), labels, SETTINGS[name]), codes)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("scale", [1e-6, 1e4])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_gradients_are_right_at_any_scale(name, scale, gradient):
    codes, labels = random_codes(scale=scale), ops.convert_to_tensor(LABELS)
    if name not in ("n-pair", "supcon", "cosine") or scale < 1:  # exp of the loop overflows
        expected = SLOW[name](codes.astype("float64"), LABELS, SETTINGS[name])
        assert value(name, codes, LABELS) == pytest.approx(expected, rel=1e-4)
    assert np.isfinite(value(name, codes, LABELS))
    assert np.isfinite(gradient(lambda x: LOSSES[name](x, labels, SETTINGS[name]), codes)).all()


@pytest.mark.parametrize("scale", [1e-20, 1e-3, 1.0, 1e25])
def test_unit_codes_have_length_one_and_a_gradient_along_the_sphere(scale, gradient):
    codes = random_codes(scale=scale).astype("float32")
    lengths = np.linalg.norm(ops.convert_to_numpy(unit(ops.convert_to_tensor(codes))), axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-5)
    weights = random_codes(7)
    fixed = ops.convert_to_tensor(weights)
    slope = gradient(lambda x: ops.sum(unit(x) * fixed), codes).astype("float64") * scale
    z = codes.astype("float64") / scale
    length = np.linalg.norm(z, axis=1, keepdims=True)
    across = weights - z * (weights * z).sum(axis=1, keepdims=True) / length**2
    np.testing.assert_allclose(slope, across / length, rtol=1e-3, atol=1e-5)


def test_zeros_stay_zeros_and_unit_has_no_gradient_there(gradient):
    assert (ops.convert_to_numpy(unit(ops.zeros((2, 3)))) == 0).all()
    codes, weights = random_codes(), ops.convert_to_tensor(random_codes(7))
    codes[3] = 0
    slope = gradient(lambda x: 1e3 * ops.sum(unit(x) * weights), codes)
    assert np.flatnonzero(np.abs(slope).max(axis=1) == 0).tolist() == [3] and np.isfinite(slope).all()


@pytest.mark.parametrize("name", LOSSES)
def test_bfloat16_codes_are_computed_in_float32(name):
    codes = ops.cast(ops.convert_to_tensor(random_codes()), "bfloat16")
    rounded = ops.convert_to_numpy(ops.cast(codes, "float32")).astype("float64")
    loss = LOSSES[name](codes, ops.convert_to_tensor(LABELS), SETTINGS[name])
    assert float(ops.convert_to_numpy(loss)) == pytest.approx(
        SLOW[name](rounded, LABELS, SETTINGS[name]), rel=1e-5
    )


@pytest.mark.parametrize(
    "labels", [np.arange(B), np.zeros(B, int), np.zeros(1, int)], ids=["apart", "one", "B=1"]
)
@pytest.mark.parametrize("name", LOSSES)
def test_without_partners_nothing_counts(name, labels, gradient):
    codes = random_codes(count=len(labels))
    expected = SLOW[name](codes.astype("float64"), labels, SETTINGS[name])
    assert value(name, codes, labels) == pytest.approx(expected)
    if name not in ("contrastive", "cosine") or len(labels) == 1:
        assert expected == 0
    slope = gradient(lambda x: LOSSES[name](x, ops.convert_to_tensor(labels), SETTINGS[name]), codes)
    assert np.isfinite(slope).all()
    if expected == 0:
        assert not slope.any()


@pytest.mark.parametrize("name", LOSSES)
def test_an_image_without_a_same_one_is_a_different_one_to_others_only(name):
    """Its own row does not count, and yet the others are pushed away from it."""
    codes = random_codes(5)
    with_it = value(name, codes, LABELS)
    without = np.flatnonzero(LABELS != 2)
    assert with_it != value(name, codes[without], LABELS[without])


@pytest.mark.parametrize("name", LOSSES)
def test_neither_order_nor_the_names_of_classes_matter(name):
    codes, order = random_codes(), np.random.default_rng(0).permutation(B)
    expected = value(name, codes, LABELS)
    assert value(name, codes[order], LABELS[order]) == pytest.approx(expected, rel=1e-5)
    assert value(name, codes, 100 - LABELS) == pytest.approx(expected, rel=1e-5)
    assert value(name, codes, LABELS[:, None].astype("uint8")) == pytest.approx(expected, rel=1e-5)


def test_mean_cosines_are_those_of_a_loop():
    codes = random_codes()
    same, different = (float(ops.convert_to_numpy(c)) for c in mean_cosines(codes, LABELS))
    found = list(enumerate(partners(LABELS)))
    z = codes.astype("float64")
    assert same == pytest.approx(mean([cosine(z[i], z[j]) for i, (own, _) in found for j in own]), abs=1e-6)
    assert different == pytest.approx(mean([cosine(z[i], z[j]) for i, (_, o) in found for j in o]), abs=1e-6)


def test_a_different_image_that_is_just_as_near_is_not_farther():
    """On a line, same: 0 and 1; different: -1 and 2, each as near to one of them as they to each other."""
    codes, labels = np.array([[0.0], [1.0], [-1.0], [2.0]], "float32"), np.array([0, 0, 1, 1])
    without_tie = 0.0, 0.0, 0.2 + 9 - 4, 0.2 + 9 - 4
    found = LOSSES["triplet-semi-hard"](ops.convert_to_tensor(codes), labels, 0.2)
    assert float(ops.convert_to_numpy(found)) == pytest.approx(np.mean(without_tie))
