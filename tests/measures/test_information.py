"""Mutual information: scikit-learn, loops, Gaussians, exclusive or, invariances, biases, bad input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.feature_selection import mutual_info_regression
from sklearn.metrics import mutual_info_score

from dim.measures import (
    binned_mutual_information,
    entropy,
    feature_information,
    ksg_mutual_information,
    most_informative_feature,
    most_informative_pair,
    mutual_information,
    pair_information,
    plug_in_bias,
    pointwise_mutual_information,
    probabilities_from_counts,
)


def by_loop(joint):
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    return math.fsum(
        joint[i, j] * math.log(joint[i, j] / (rows[i] * columns[j]))
        for i in range(len(rows))
        for j in range(len(columns))
        if joint[i, j] > 0
    )


def table(shape=(4, 6), seed=0):
    joint = np.random.default_rng(seed).gamma(0.3, size=shape)
    return joint / joint.sum()


def correlated(r, N, D=1, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, D))
    return x, r * x + math.sqrt(1 - r**2) * rng.normal(size=(N, D))


tables = arrays("int64", st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(0, 9)).filter(
    lambda counts: counts.sum() > 0
)


@pytest.mark.parametrize("shape", [(1, 3), (2, 2), (4, 6), (30, 7)])
def test_of_a_table_equals_a_loop(shape):
    joint = table(shape)
    assert mutual_information(joint) == pytest.approx(by_loop(joint), rel=1e-12, abs=1e-15)
    assert mutual_information(joint, base=2) == pytest.approx(
        by_loop(joint) / math.log(2), rel=1e-12, abs=1e-15
    )


def test_of_labels_equals_scikit_learn():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, 300), rng.integers(0, 3, 300)
    counts = np.zeros((5, 3))
    np.add.at(counts, (x, y), 1)
    expected = mutual_info_score(x, y)
    assert mutual_information(counts / counts.sum()) == pytest.approx(expected, rel=1e-12)
    assert feature_information(x[:, None], y)[0] == pytest.approx(expected, rel=1e-12)


@given(tables)
def test_of_a_table_is_symmetric_bounded_and_the_gain_in_entropy(counts):
    joint = counts / counts.sum()
    information = mutual_information(joint)
    rows, columns = entropy(joint.sum(axis=1)), entropy(joint.sum(axis=0))
    assert information == pytest.approx(mutual_information(joint.T), rel=1e-12, abs=1e-15)
    assert 0 <= information <= min(rows, columns) + 1e-12
    assert information == pytest.approx(rows + columns - entropy(joint.ravel()), rel=1e-9, abs=1e-12)


@given(tables, st.randoms(use_true_random=False))
def test_renaming_changes_nothing_and_merging_loses(counts, random):
    joint = counts / counts.sum()
    order = list(range(len(joint)))
    random.shuffle(order)
    information = mutual_information(joint)
    assert mutual_information(joint[order]) == pytest.approx(information, rel=1e-12, abs=1e-15)
    merged = np.vstack([joint[:2].sum(axis=0), joint[2:]])
    assert mutual_information(merged) <= information + 1e-12


def test_independence_and_identity():
    rows, columns = np.array([0.2, 0.8]), np.array([0.1, 0.3, 0.6])
    assert mutual_information(np.outer(rows, columns)) == pytest.approx(0, abs=1e-16)
    assert mutual_information(np.diag(columns)) == pytest.approx(entropy(columns), rel=1e-14)


def test_rare_cells():
    joint = np.array([[1e-300, 0.5], [0.5, 0.0]])
    assert mutual_information(joint) == pytest.approx(math.log(2), rel=1e-12)
    assert pointwise_mutual_information(joint)[0, 0] == pytest.approx(
        math.log(4) - 300 * math.log(10), rel=1e-12
    )


def test_pointwise_averages_to_the_whole():
    joint = table()
    pointwise = pointwise_mutual_information(joint)
    assert (joint * pointwise).sum() == pytest.approx(by_loop(joint), rel=1e-12)
    bits = pointwise_mutual_information(joint, base=2)
    np.testing.assert_allclose(bits, pointwise / math.log(2), rtol=1e-14)


def test_pointwise_where_there_is_nothing():
    pointwise = pointwise_mutual_information([[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]])
    np.testing.assert_allclose(pointwise[:, :2], [[math.log(2), -math.inf], [-math.inf, math.log(2)]])
    assert np.isnan(pointwise[:, 2]).all()


@pytest.mark.parametrize("r", [0.5, 0.9])
def test_bins_find_the_information_of_gaussians(r):
    x, y = correlated(r, 50_000)
    expected = -math.log(1 - r**2) / 2
    assert binned_mutual_information(x[:, 0], y[:, 0], bins=24) == pytest.approx(expected, rel=0.05)


def test_bins_equal_a_count_by_rank():
    x, y = (z[:, 0] for z in correlated(0.7, 240))
    cells = [np.argsort(np.argsort(z)) * 6 // 240 for z in (x, y)]
    expected = mutual_info_score(*cells)
    assert binned_mutual_information(x, y, bins=6) == pytest.approx(expected, rel=1e-12)
    assert binned_mutual_information(x, y, bins=6, base=2) == pytest.approx(expected / math.log(2), rel=1e-12)


@given(st.integers(0, 10**6), st.integers(2, 9))
def test_increasing_maps_leave_the_bins_as_they_are(seed, bins):
    x, y = (z[:, 0] for z in correlated(0.8, 50, seed=seed))
    before = binned_mutual_information(x, y, bins)
    assert binned_mutual_information(np.exp(x), y**3, bins) == before


def test_equal_values_share_a_bin():
    x = np.repeat([0.0, 1.0, 5.0], [90, 5, 5])
    assert binned_mutual_information(x, x, bins=4) <= entropy([0.9, 0.05, 0.05]) + 1e-12
    assert binned_mutual_information(np.zeros(10), np.arange(10.0), bins=4) == 0


def test_bias_of_counting_is_what_it_is_said_to_be():
    rng = np.random.default_rng(0)
    N, K = 1000, 16
    found = [binned_mutual_information(*rng.normal(size=(2, N)), bins=K) for _ in range(40)]
    said = (K - 1) ** 2 / (2 * N)
    assert np.mean(found) == pytest.approx(said, rel=0.1)
    assert plug_in_bias(np.ones((K, K)) * N / K**2) == pytest.approx(said, rel=1e-12)
    assert plug_in_bias([[3, 0], [0, 4]], base=2) == pytest.approx(-1 / 14 / math.log(2), rel=1e-12)


@pytest.mark.parametrize("r", [0.0, 0.6, 0.95])
@pytest.mark.parametrize("k", [1, 3, 10])
def test_neighbours_equal_scikit_learn_in_one_dimension(r, k):
    x, y = correlated(r, 400)
    expected = mutual_info_regression(x, y[:, 0], n_neighbors=k, random_state=0)[0]
    assert max(ksg_mutual_information(x, y, k), 0) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("r", "D"), [(0.0, 1), (0.6, 1), (0.9, 1), (0.6, 3)])
def test_neighbours_find_the_information_of_gaussians(r, D):
    x, y = correlated(r, 4000, D)
    expected = -D * math.log(1 - r**2) / 2
    assert ksg_mutual_information(x, y) == pytest.approx(expected, abs=0.06)


def test_neighbours_against_a_loop():
    x, y = correlated(0.8, 60, 2, seed=5)
    u, v = x / x.std(axis=0), y / y.std(axis=0)
    by_x, by_y = (np.abs(z[:, None] - z).max(axis=-1) for z in (u, v))
    psi = [-0.5772156649015329]
    for n in range(1, 61):
        psi.append(psi[-1] + 1 / n)  # ψ(n + 1)
    k, total = 4, 0.0
    for i in range(60):
        radius = np.sort(np.maximum(by_x[i], by_y[i]))[k]
        total += psi[(by_x[i] < radius).sum() - 1] + psi[(by_y[i] < radius).sum() - 1]
    expected = psi[k - 1] + psi[59] - total / 60
    assert ksg_mutual_information(x, y, k) == pytest.approx(expected, rel=1e-12)
    assert ksg_mutual_information(x, y, k, base=2) == pytest.approx(expected / math.log(2), rel=1e-12)


def test_increasing_maps_change_the_neighbours_estimate_little():
    x, y = correlated(0.8, 3000)
    before = ksg_mutual_information(x, y)
    assert ksg_mutual_information(np.arctan(x), y + y**3 / 9) == pytest.approx(before, abs=0.05)
    assert ksg_mutual_information(1000 * x - 7, -y) == pytest.approx(before, abs=1e-9)


def exclusive_or(copies=25):
    """The label is a xor b; c says a little, d is a copy of c, e never changes."""
    a, b = np.tile([0, 0, 1, 1], copies), np.tile([0, 1, 0, 1], copies)
    label = a ^ b
    c = label.copy()
    c[:30] = 1 - c[:30]
    return np.stack([a, b, c, c, np.zeros_like(a)], axis=1), np.where(label, "odd", "even")


def test_of_features_with_a_label():
    features, labels = exclusive_or()
    information = feature_information(features, labels)
    np.testing.assert_allclose(information[[0, 1, 4]], 0, atol=1e-15)
    expected = mutual_info_score(features[:, 2], labels)
    np.testing.assert_allclose(information[[2, 3]], expected, rtol=1e-12)
    assert most_informative_feature(features, labels) == ((2,), information[2])


def test_of_pairs_the_exclusive_or_is_found_and_copies_add_nothing():
    features, labels = exclusive_or()
    information = pair_information(features, labels)
    assert information[0, 1] == pytest.approx(math.log(2), rel=1e-12)
    assert information[2, 3] == pytest.approx(information[2, 2], rel=1e-12)
    np.testing.assert_array_equal(information, information.T)
    np.testing.assert_allclose(np.diag(information), feature_information(features, labels), rtol=1e-15)
    best = most_informative_pair(features, labels, base=2)
    assert best.features == (0, 1) and best.information == pytest.approx(1, rel=1e-12)


def test_of_pairs_equals_scikit_learn_on_joined_names():
    rng = np.random.default_rng(0)
    features, labels = rng.integers(0, 4, (80, 4)) * 1.5, rng.integers(0, 3, 80)
    information = pair_information(features, labels)
    for i in range(4):
        for j in range(4):
            names = [f"{row[i]} {row[j]}" for row in features]
            assert information[i, j] == pytest.approx(mutual_info_score(names, labels), rel=1e-12)


def test_continuous_features_are_binned():
    x, y = correlated(0.9, 2000)
    labels = y[:, 0] > 0
    features = np.hstack([np.random.default_rng(1).normal(size=(2000, 1)), x])
    information = feature_information(features, labels, bins=8)
    assert information[0] < 0.01 < 0.3 < information[1]
    np.testing.assert_array_equal(feature_information(features**3, labels, bins=8), information)
    assert most_informative_feature(features, labels, bins=8).features == (1,)


COLUMNS, LABELS = np.eye(3), [0, 1, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mutual_information([[0.5, -0.5], [0.5, 0.5]]), "joint holds a negative probability"),
        (lambda: mutual_information([[5, 3], [1, 1]]), "joint sums to 10 .*probabilities_from_counts"),
        (lambda: mutual_information([0.5, 0.5]), "joint must be .X, Y.*; reshape"),
        (lambda: pointwise_mutual_information([[math.nan]]), "joint holds NaN; leave out"),
        (lambda: plug_in_bias([[0, 0]]), "counts must be 0 or more each and not all 0; give"),
        (lambda: plug_in_bias([[1, -1]]), "counts must be 0 or more each and not all 0; give"),
        (lambda: binned_mutual_information([1, 2], [1, 2, 3]), "x and y must both be .N.*; give paired"),
        (
            lambda: binned_mutual_information([1, 2], [1, 2], bins=1),
            "bins must be a whole number of 2 or more",
        ),
        (lambda: binned_mutual_information([1, 2], [1, 2], bins=2.5), "bins must be a whole number"),
        (lambda: ksg_mutual_information([1, 2, 3], [1, 2]), "x has 3 samples and y has 2; give pairs"),
        (lambda: ksg_mutual_information([1, 2], [1, 2], k=2), "k must lie between 1 and 1"),
        (
            lambda: ksg_mutual_information([1, 1, 1], [1, 2, 3], k=1),
            "x has a dimension that never changes; leave",
        ),
        (
            lambda: ksg_mutual_information([1, 1, 1, 2], [1, 1, 1, 2], k=1),
            "equal samples.*; add a little noise",
        ),
        (lambda: ksg_mutual_information([1, math.nan, 3], [1, 2, 3], k=1), "x holds NaN"),
        (lambda: feature_information(COLUMNS, [1, 1, 1]), "labels holds a single class .1.*; give more"),
        (lambda: feature_information(COLUMNS, [1, 1]), "labels is .2,. .*; give one label for each"),
        (lambda: feature_information(COLUMNS, [0, math.nan, 1]), "labels holds NaN; leave out"),
        (lambda: feature_information(COLUMNS, LABELS, bins=1), "bins must be a whole number"),
        (lambda: most_informative_pair(COLUMNS[:, :1], LABELS), "features has one column; a pair needs two"),
    ],
)
def test_messages_name_the_argument_and_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_counts_become_a_joint_table_by_way_of_their_flat_form():
    counts = np.array([[3, 0], [1, 4]])
    joint = probabilities_from_counts(counts.ravel(), smoothing=1).reshape(2, 2)
    np.testing.assert_allclose(joint, (counts + 1) / 12, rtol=1e-15)
    assert mutual_information(joint) == pytest.approx(by_loop(joint), rel=1e-12)
