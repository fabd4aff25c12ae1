"""Pairs by brute force, thresholds and rates by brute force and scikit-learn, Gaussians in closed form."""

from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from dim.evaluation import verification as module
from dim.evaluation.verification import Pairs, best_threshold, pair_distances, sample_pairs, verify

LABELS = np.array([3, 1, 3, 3, 8, 1, 3, 5, 8, 1])  # 5 has one member


def every_pair(labels):
    pairs = list(combinations(range(len(labels)), 2))
    return [{frozenset(p) for p in pairs if (labels[p[0]] == labels[p[1]]) == same} for same in (True, False)]


def drawn(pairs):
    return [[frozenset(row) for row in pairs.rows[pairs.same == same].tolist()] for same in (True, False)]


def test_asked_for_more_than_there_are_all_same_pairs_come_once_and_as_many_different_ones():
    pairs = sample_pairs(LABELS, 1000)
    same, different = drawn(pairs)
    all_same, all_different = every_pair(LABELS)
    assert len(same) == len(set(same)) == len(all_same) == 10 and set(same) == all_same
    assert len(different) == len(set(different)) == 10 and set(different) < all_different
    assert (pairs.rows[:, 0] != pairs.rows[:, 1]).all() and pairs.same.tolist() == [True] * 10 + [False] * 10


@pytest.mark.parametrize("kind", [0, 1])
def test_every_pair_is_as_likely_as_any_other(kind):
    counts = Counter(pair for seed in range(1500) for pair in drawn(sample_pairs(LABELS, 3, seed))[kind])
    pairs = every_pair(LABELS)[kind]
    assert set(counts) == pairs
    expected = 1500 * 3 / len(pairs)
    assert all(abs(count - expected) < 5 * np.sqrt(expected) for count in counts.values())


def test_the_seed_decides():
    one, again, other = (sample_pairs(np.arange(200) % 7, 50, seed).rows for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_many_images_take_no_time_and_few_pairs():
    labels = np.arange(100_000) % 200
    pairs = sample_pairs(labels, 1000)
    assert (labels[pairs.rows[:, 0]] == labels[pairs.rows[:, 1]]).tolist() == pairs.same.tolist()
    assert len(pairs.rows) == 2000


@pytest.mark.parametrize(
    ("labels", "most", "message"),
    [
        (np.arange(5), 10, "no class has two members.*two images"),
        (np.zeros(5), 10, "one class.*add another"),
        (np.zeros(0), 10, "no class has two members"),
        (LABELS, 0, "at least 1 pair"),
        (LABELS[:, None], 10, r"labels must be \[N\], not \(10, 1\)"),
    ],
)
def test_where_there_are_no_pairs_it_says_so(labels, most, message):
    with pytest.raises(ValueError, match=message):
        sample_pairs(labels, most)


@pytest.mark.parametrize("block", [3, 2000])
@pytest.mark.parametrize(("metric", "theirs"), [("cosine", "cosine"), ("l2", "euclidean")])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_distances_are_those_of_scipy(metric, theirs, dtype, block, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", block)
    vectors = np.random.default_rng(0).integers(0, 200, (len(LABELS), 6)).astype(dtype)
    pairs = sample_pairs(LABELS, 7)
    expected = cdist(vectors.astype("float64"), vectors.astype("float64"), theirs)[tuple(pairs.rows.T)]
    np.testing.assert_allclose(pair_distances(vectors, pairs, metric), expected, rtol=1e-4, atol=1e-6)


def test_codes_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        pair_distances(np.full((10, 2), np.nan), sample_pairs(LABELS), "l2")
    with pytest.raises(ValueError, match="not finite"):
        verify(np.array([1, np.nan, 0, 0]), np.array([1, 1, 0, 0]))


def scores(seed=0, count=60, ties=False):
    rng = np.random.default_rng(seed)
    same = rng.random(count) < 0.4
    values = rng.normal(same * 1.2, 1)
    return (np.round(values) if ties else values), same


def slow_best(similarities, same):
    """(Accuracy, threshold), over all that fall between two pairs, from the strictest on."""
    values = sorted(set(similarities.tolist()), reverse=True)
    candidates = [values[0] + 1, *((a + b) / 2 for a, b in pairwise(values)), values[-1]]
    accuracies = [np.mean((similarities >= threshold) == same) for threshold in candidates]
    return max(accuracies), candidates[int(np.argmax(accuracies))]


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_the_best_threshold_is_that_of_brute_force(seed, ties):
    similarities, same = scores(seed, 25, ties)
    accuracy, threshold = slow_best(similarities, same)
    found = best_threshold(similarities, same)
    assert np.mean((similarities >= found) == same) == pytest.approx(accuracy)
    assert found == pytest.approx(threshold) or threshold > similarities.max() < found


@pytest.mark.parametrize("same", [True, False])
def test_where_all_are_best_taken_for_one_kind_the_threshold_is_at_the_end(same):
    similarities = np.array([0.3, 0.1, 0.2])
    assert ((similarities >= best_threshold(similarities, np.full(3, same))) == same).all()


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_rates_are_those_of_brute_force_and_of_scikit_learn(seed, ties):
    similarities, same = scores(seed, 400, ties)
    found = verify(similarities, same, fars=[0.1, 0.05, 0.01])
    assert found.auc == pytest.approx(roc_auc_score(same, similarities))
    points = [(0.0, 0.0)]
    for threshold in sorted(set(similarities.tolist()), reverse=True):
        points.append((np.mean(similarities[~same] >= threshold), np.mean(similarities[same] >= threshold)))
    np.testing.assert_allclose(np.stack([found.far, found.tar], axis=1), points)
    for far in 0.1, 0.05:
        assert found.tar_at_far[far] == max(tar for f, tar in points if f <= far)
    assert found.tar_at_far[0.01] is None  # some 240 different pairs would be 2 false accepts
    before, after = next((p, q) for p, q in pairwise(points) if p[0] <= 1 - p[1] and q[0] >= 1 - q[1])
    share = (1 - before[1] - before[0]) / (after[0] - before[0] + after[1] - before[1])
    assert found.eer == pytest.approx(before[0] + share * (after[0] - before[0]))


def test_accuracy_is_that_of_folds_whose_threshold_comes_from_the_others():
    from sklearn.model_selection import StratifiedKFold

    similarities, same = scores(2, 200)
    each = []
    for train, test in StratifiedKFold(10, shuffle=True, random_state=5).split(similarities, same):
        _, threshold = slow_best(similarities[train], same[train])
        each.append(np.mean((similarities[test] >= threshold) == same[test]))
    found = verify(similarities, same, seed=5)
    assert (found.accuracy, found.deviation) == pytest.approx((np.mean(each), np.std(each, ddof=1)))


def test_random_similarities_gain_nothing_by_choosing_a_threshold():
    rng = np.random.default_rng(0)
    found = verify(rng.normal(size=4000), np.arange(4000) % 2 == 0)
    assert found.accuracy == pytest.approx(0.5, abs=0.03)
    assert found.auc == pytest.approx(0.5, abs=0.03) and found.eer == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("d", [0.5, 1.0, 2.5])
def test_gaussians_of_equal_variance_have_their_closed_forms(d):
    rng, count = np.random.default_rng(1), 100_000
    same = np.arange(2 * count) < count
    found = verify(rng.normal(d * same, 1), same)
    assert found.auc == pytest.approx(norm.cdf(d / np.sqrt(2)), abs=0.005)
    assert found.eer == pytest.approx(norm.cdf(-d / 2), abs=0.005)
    assert found.accuracy == pytest.approx(norm.cdf(d / 2), abs=0.005)
    assert found.threshold == pytest.approx(d / 2, abs=0.12)
    for far in 1e-2, 1e-3:
        assert found.tar_at_far[far] == pytest.approx(norm.sf(norm.isf(far) - d), abs=0.02)


def test_perfect_and_reversed_similarities():
    same = np.arange(40) < 20
    right, wrong = verify(same.astype(float), same), verify(-same.astype(float), same)
    assert (right.accuracy, right.auc, right.eer, right.threshold) == (1, 1, 0, 0.5)
    assert (wrong.auc, wrong.eer) == (0, 1)


@pytest.mark.parametrize(("count", "resolved"), [(999, False), (1000, True)])
def test_a_rate_that_too_few_pairs_can_tell_is_none(count, resolved):
    similarities = np.random.default_rng(0).normal(size=count + 5)
    found = verify(similarities, np.arange(count + 5) < 5)
    assert (found.tar_at_far[1e-2] is not None) == resolved and found.tar_at_far[1e-3] is None


@pytest.mark.parametrize("few", [2, 5])
def test_fewer_than_ten_pairs_make_fewer_folds(few):
    similarities, same = np.arange(2.0 * few), np.arange(2 * few) >= few
    assert verify(similarities, same).auc == 1


def test_what_cannot_be_verified_is_refused():
    with pytest.raises(ValueError, match="1 same and 2 different pairs; at least 2"):
        verify(np.arange(3.0), np.array([True, False, False]))
    with pytest.raises(ValueError, match=r"must be \[M\] both"):
        verify(np.arange(3.0), np.array([True, False]))


def test_pairs_of_ones_own_can_be_measured():
    pairs = Pairs(np.array([[0, 1], [2, 3]]), np.array([True, False]))
    assert pair_distances(np.eye(4), pairs, "l2") == pytest.approx([np.sqrt(2)] * 2)


def test_a_rate_that_is_just_reached_counts():
    """Of 100 different pairs 10 are accepted before the fourth of five same ones, 11 before the fifth."""
    order = [1, 0, 1, *[0] * 8, 1, 0, 1, 0, 1, *[0] * 89]
    same = np.array(order, bool)
    found = verify(-np.arange(105.0), same, fars=[0.1])
    assert (~same).sum() == 100
    assert found.tar_at_far[0.1] == 0.8


def test_the_seed_decides_the_folds():
    similarities, same = scores(2, 60)
    one, again, other = (verify(similarities, same, seed) for seed in (4, 4, 5))
    assert one.deviation == again.deviation != other.deviation


def test_a_pair_that_is_just_as_similar_as_the_threshold_is_the_same():
    """All alike, and most of them same: it is best to accept them all, from that similarity on."""
    found = verify(np.ones(35), np.arange(35) < 30)
    assert found.threshold == 1 and found.accuracy == pytest.approx(30 / 35)
