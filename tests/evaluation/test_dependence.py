"""Estimates against Gaussians of known dependence, and where they must fail."""

import math

import numpy as np
import pytest

from dim.evaluation import dependence
from dim.evaluation.dependence import ESTIMATES, Estimate, mutual_information, neural_dependency
from dim.evaluation.evaluator import Features
from dim.evaluation.neural_bounds import correlated_gaussians

UNITS = (64, 64)


@pytest.mark.slow
@pytest.mark.parametrize(("D", "nats"), [(1, 0.5), (2, 2.0)])
def test_mutual_information_of_gaussians_up_to_two_nats_is_right_within_a_tenth(D, nats):
    x, y = correlated_gaussians(30_000, D, nats)
    estimate = mutual_information(3 * x + 7, -y, UNITS)  # it knows neither units nor signs
    assert estimate.nats == pytest.approx(nats, rel=0.1)
    assert estimate.credible and estimate.ceiling == pytest.approx(math.log(6000))


def test_independent_variables_share_nothing():
    x, y = correlated_gaussians(5000, 2, 0.0)
    assert mutual_information(x, y, UNITS).nats == pytest.approx(0, abs=0.03)


def test_what_exceeds_the_logarithm_of_the_samples_is_not_seen():
    x, y = correlated_gaussians(2000, 10, 40.0)
    estimate = mutual_information(x, y, UNITS)
    assert estimate.ceiling < 7
    assert estimate.nats < 20 or not estimate.credible


@pytest.mark.parametrize(("nats", "credible"), [(-0.1, True), (4.6, True), (4.61, False), (93.0, False)])
def test_an_estimate_above_the_logarithm_of_its_samples_says_so(nats, credible):
    assert Estimate(nats, 100).credible is credible


@pytest.mark.slow
def test_dependency_of_gaussian_codes_is_their_total_correlation():
    """-½ log det R of the correlation matrix R."""
    covariance = np.array([[4, 1.5, 0], [1.5, 1, 0], [0, 0, 9.0]])
    codes = np.random.default_rng(0).multivariate_normal([1, 2, 3], covariance, 30_000)
    truth = -0.5 * math.log(1 - 1.5**2 / 4)
    assert neural_dependency(codes, UNITS).nats == pytest.approx(truth, rel=0.1)


def test_independent_dimensions_and_constant_ones_have_no_dependency():
    codes = np.random.default_rng(0).uniform(size=(5000, 4))
    codes[:, 2] = 1
    assert neural_dependency(codes, UNITS).nats == pytest.approx(0, abs=0.03)


def test_the_same_seed_reads_the_same(monkeypatch):
    monkeypatch.setattr(dependence, "_MOST_LOOKS", 2)
    x, y = correlated_gaussians(600, 1, 1.0)
    assert mutual_information(x, y, (8,)).nats == pytest.approx(mutual_information(x, y, (8,)).nats, abs=1e-4)


def test_too_few_samples_are_refused():
    with pytest.raises(ValueError, match="at least 10"):
        neural_dependency(np.zeros((9, 2)))


@pytest.fixture
def seen(monkeypatch):
    """The rows that a critic is trained on, stopped by and read from, gathered meanwhile."""
    seen = {"fit": [], "stop": [], "read": []}

    def note(name, part, rows_of):
        original = getattr(dependence, name)
        monkeypatch.setattr(dependence, name, lambda *a: seen[part].append(rows_of(*a)) or original(*a))

    note("_samples", "fit", lambda rows, *_: rows)
    note("_once", "stop", lambda true, mismatched: true)
    note("_scores", "read", lambda critic, rows: rows)
    monkeypatch.setattr(dependence, "_MOST_LOOKS", 1)
    return seen


@pytest.mark.parametrize("measure", [neural_dependency, lambda x, *more: mutual_information(x, x, *more)])
def test_what_is_read_was_neither_trained_on_nor_stopped_by(measure, seen):
    x = np.arange(200.0)[:, None] * [1, 2]
    estimate = measure(x, (8,), 3)
    fit, stop, read = ({row.tobytes() for row in rows[0]} for rows in seen.values())
    assert (len(fit), len(stop), len(read)) == (120, 40, 40) and len(fit | stop | read) == 200
    assert estimate.samples == 40
    measure(x, (8,), 4)  # another seed, other parts
    assert {row.tobytes() for row in seen["fit"][1]} != fit


def test_mismatches_are_never_matches_and_keep_each_side_whole():
    """One variable is rolled as a whole; the dimensions of a code are shuffled each for itself."""
    asked = []

    def noting(joint, mismatch, units, seed):
        asked.append([mismatch(joint, np.random.default_rng(s)) for s in range(20)])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dependence, "_divergence", noting)
        rows = np.arange(4.0)
        mutual_information(rows[:, None] * [1, 2], rows[:, None] * [1, 3, 5])
        neural_dependency(rows[:, None] * [1, 2])
    rolled, shuffled = asked
    for drawn in rolled:
        x, y = drawn[:, :2], drawn[:, 2:]
        assert (x[:, 0] == x[:, 1]).all() and (y == y[:, :1]).all()  # standardised, all are the same
        assert (x[:, 0] != y[:, 0]).all()
    assert any((drawn[:, 0] != drawn[:, 1]).any() for drawn in shuffled)
    assert all((np.sort(drawn, axis=0) == np.sort(shuffled[0], axis=0)).all() for drawn in shuffled)


def test_dependence_is_that_of_images_and_their_own_codes(monkeypatch):
    asked = []

    def estimate(*samples, seed):
        asked.append(samples)
        return Estimate(0.1, 20)

    monkeypatch.setattr(dependence, "mutual_information", estimate)
    monkeypatch.setattr(dependence, "neural_dependency", estimate)
    monkeypatch.setattr(dependence, "MOST_SAMPLES", 20)
    numbers = np.arange(50.0)[:, None]
    features = Features(10 * numbers, None, None, None, 3, components=numbers, encoder="one")
    assert set(ESTIMATES.measure(features)) == {"mutual_information", "ceiling", "neural_dependency"}
    (x, y), (codes,) = asked
    assert len(np.unique(x)) == 20 and (y == 10 * x).all() and (codes == y).all()
    assert set(x.ravel()) != set(range(20))
