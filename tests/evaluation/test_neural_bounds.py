"""Bounds from samples: loops, the objectives they share, MINE's gradient, Gaussians of known information."""

import math

import numpy as np
import pytest
from keras import ops
from scipy.special import logsumexp

from dim.evaluation import neural_bounds as variational
from dim.evaluation.neural_bounds import BOUNDS, NeuralBound, _pairs, correlated_gaussians, mine_loss
from dim.measures import neural_bound, variational_bound

N = 5


def by_loops(scores, bound):
    N = len(scores)
    if bound == "infonce":
        return np.mean([scores[i, i] - math.log(sum(np.exp(scores[i])) / N) for i in range(N)])
    others = [scores[i, j] for i in range(N) for j in range(N) if i != j]
    true = np.mean([scores[i, i] for i in range(N)])
    if bound == "nwj":
        return true - np.mean([math.exp(s - 1) for s in others])
    return true - math.log(np.mean([math.exp(s) for s in others]))


def optimal_scores(information, D, N, seed):
    """log p(x, y) / p(x)·p(y) of all pairs of N samples of correlated Gaussians."""
    r = math.sqrt(1 - math.exp(-2 * information / D))
    x, y = correlated_gaussians(N, D, information, seed)
    squares = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)
    return -D / 2 * math.log(1 - r**2) - (r**2 * squares - 2 * r * x @ y.T) / (2 * (1 - r**2))


@pytest.mark.parametrize(("D", "nats"), [(1, 2.0), (4, 2.0), (10, 20.0)])
def test_the_gaussians_share_as_many_nats_as_they_should(D, nats):
    x, y = correlated_gaussians(50_000, D, nats, seed=1)
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(x.T, y.T, strict=True)]
    assert -sum(math.log(1 - r**2) for r in correlations) / 2 == pytest.approx(nats, rel=0.02)
    assert (x.std(), y.std()) == pytest.approx((1, 1), abs=0.02)


@pytest.mark.parametrize("bound", BOUNDS)
def test_equals_loops(bound):
    scores = np.random.default_rng(0).normal(size=(N, N))
    assert variational_bound(scores, bound) == pytest.approx(by_loops(scores, bound), rel=1e-5)


def test_pairs_are_the_diagonal_and_the_rest_row_by_row():
    scores = np.arange(16.0).reshape(4, 4)
    positive, negative = (ops.convert_to_numpy(x) for x in _pairs(scores))
    np.testing.assert_array_equal(positive[:, 0], np.diag(scores))
    for i in range(4):
        assert list(negative[i, :, 0]) == [scores[i, j] for j in range(4) if j != i]


@pytest.mark.parametrize("bound", BOUNDS)
def test_of_the_best_critic_is_the_information(bound):
    offset = 1 if bound == "nwj" else 0
    found = [variational_bound(optimal_scores(1.0, 2, 1000, seed) + offset, bound) for seed in range(5)]
    assert np.mean(found) == pytest.approx(1, rel=0.05)


def test_infonce_stops_at_log_n_and_the_others_do_not():
    scores = optimal_scores(8.0, 20, 64, 0)
    assert 0.95 * math.log(64) < variational_bound(scores, "infonce") < math.log(64)
    assert variational_bound(scores, "dv") > 6


def test_mine_divides_by_the_average_and_not_by_the_batch(gradient):
    rng = np.random.default_rng(0)
    positive, negative = (
        rng.normal(size=(4, 1)).astype("float32"),
        rng.normal(size=(4, 3, 1)).astype("float32"),
    )
    average = np.float32(0.7)
    found = gradient(lambda n: mine_loss(positive, n, average), negative)
    np.testing.assert_allclose(found, np.exp(negative) / 12 / math.exp(0.7), rtol=1e-5)
    found = gradient(lambda p: mine_loss(p, negative, average), positive)
    np.testing.assert_allclose(found, -1 / 4, rtol=1e-6)
    batch = np.float32(logsumexp(negative) - math.log(12))
    same = gradient(lambda n: mine_loss(positive, n, batch), negative)
    np.testing.assert_allclose(same, np.exp(negative) / np.exp(negative).sum(), rtol=1e-5)


def test_the_running_average_is_that_of_a_loop():
    model, expected = NeuralBound("mine"), None
    for t in range(1, 151):
        negative = np.random.default_rng(t).normal(size=(4, 3, 1)).astype("float32")
        rate, now = max(1 / t, 0.01), np.exp(negative).mean()
        expected = now if expected is None else (1 - rate) * expected + rate * now
        found = float(ops.convert_to_numpy(model._average(negative)))
    assert found == pytest.approx(math.log(expected), abs=1e-4)


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_trained_critic_finds_most_of_one_nat_and_not_more(bound):
    found = neural_bound(*correlated_gaussians(6000, 2, 1.0), bound, epochs=10)
    assert 0.75 < found < 1.1


def test_of_independent_samples_there_is_nothing_to_find_on_the_held_out_half():
    found = neural_bound(*correlated_gaussians(2000, 2, 0.0), "infonce", epochs=5)
    assert -0.3 < found < 0.05


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: variational_bound(np.zeros((3, 4))), "scores must be .N, N."),
        (lambda: variational_bound([[1.0]]), "scores must be .N, N. with N ≥ 2"),
        (lambda: variational_bound([[1.0, math.nan], [0, 0]]), "scores holds NaN"),
        (lambda: variational_bound(np.zeros((3, 3)), "jsd"), "bound must be one of"),
        (lambda: neural_bound(np.zeros(9), np.zeros(8)), "x and y must be .*; give pairs"),
        (
            lambda: neural_bound(np.zeros(9), np.zeros(9), batch_size=5),
            "batch_size 5 .* choose it from 2 to 4",
        ),
        (lambda: NeuralBound("jsd"), "bound must be one of"),
    ],
)
def test_messages_name_the_argument_and_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_it_is_read_on_the_half_that_was_not_trained_on_in_blocks(monkeypatch):
    fitted, read = [], []
    monkeypatch.setattr(variational, "_COMPARED", 8)
    monkeypatch.setattr(NeuralBound, "fit", lambda self, samples, **options: fitted.append(samples))
    monkeypatch.setattr(NeuralBound, "bound_of", lambda self, x, y: read.append((x, y)) or float(len(read)))
    x = np.arange(64.0) ** 2
    assert neural_bound(x, -x, batch_size=4) == 2.5  # of four blocks, 1 to 4
    own, others = fitted[0]["x"], np.concatenate([x for x, _ in read])
    assert len(own) == len(others) == 32 and len({*own.ravel(), *others.ravel()}) == 64
    for side in "x", "y":  # as if the other half were not there
        assert (fitted[0][side].mean(), fitted[0][side].std()) == pytest.approx((0, 1), abs=1e-6)
    for one, other in read:
        np.testing.assert_allclose(one, -other, atol=1e-6)
    neural_bound(x, -x, batch_size=4, seed=1)
    assert (fitted[1]["x"] != own).any()


def test_mine_is_trained_by_its_own_gradient_and_read_as_donsker_varadhan(gradient):
    """Of the second batch, with the average of both below: a loss of which only the gradient counts."""
    first, second = (np.random.default_rng(seed).normal(size=(N, N)).astype("float32") for seed in (0, 1))
    model = NeuralBound("mine")
    model.compute_loss(y_pred=ops.convert_to_tensor(first))
    model.tracker.reset_state()
    found = gradient(lambda scores: model.compute_loss(y_pred=scores), second)
    apart = ~np.eye(N, dtype=bool)
    average = np.mean([np.exp(scores[apart]).mean() for scores in (first, second)])
    expected = np.where(apart, np.exp(second) / apart.sum() / average, -1 / N)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    bound = float(ops.convert_to_numpy(model.tracker.result()))
    assert bound == pytest.approx(by_loops(second, "dv"), rel=1e-4)


def test_the_two_sides_begin_with_weights_of_their_own_by_the_seed():
    def kernels(seed):
        model = NeuralBound(seed=seed)
        model.build({"x": (None, 3), "y": (None, 3)})
        return [tower.get_weights()[0] for tower in (model.g, model.h)]

    (g, h), (again, _), (other, _) = kernels(0), kernels(0), kernels(1)
    np.testing.assert_array_equal(g, again)
    assert (g != h).any() and (g != other).any()
