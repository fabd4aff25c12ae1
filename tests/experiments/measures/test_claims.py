"""The numbers behind the table, each by another way than the experiment's own."""

import math

import numpy as np
import pytest
from scipy.stats import entropy, multivariate_normal, norm
from sklearn.datasets import load_breast_cancer

from dim.evaluation.neural_bounds import correlated_gaussians
from dim.measures import mutual_information_of_gaussian
from experiments.measures.balls import balls
from experiments.measures.bounds import BATCH, D, log_ratio, nwj_deviation
from experiments.measures.breast_cancer import accuracies
from experiments.measures.space_worms import BINOMIAL, UNIFORM, WORMS, space_worms
from experiments.measures.two_directions import DEVIATIONS, MEANS, STEP, WEIGHTS, X, fit, forward, reverse
from experiments.measures.uniform_and_binomial import uniform_and_binomial


def ours(rows):
    return {row.quantity: row.ours for row in rows}


def test_space_worms(tmp_path):
    found = ours(space_worms(tmp_path))
    assert found["worms: entropy"] == f"{entropy(WORMS, base=2):.4f} bits" == "3.2622 bits"
    assert found["worms: binomial success probability"] == "0.544"
    assert found["worms: KL(data ‖ uniform)"] == f"{entropy(WORMS, UNIFORM):.4f} nats" == "0.1367 nats"
    assert found["worms: KL(data ‖ binomial)"] == f"{entropy(WORMS, BINOMIAL):.4f} nats" == "0.4273 nats"
    assert [math.comb(10, k) * 0.544**k * 0.456 ** (10 - k) for k in range(11)] == pytest.approx(BINOMIAL)


def test_uniform_and_binomial(tmp_path):
    found = ours(uniform_and_binomial(tmp_path, seed=0))
    for p, one_way, other_way in (0.9, "1.1847", "7.5194"), (0.4, "0.6194", "1.6344"):
        assert found[f"KL(B(12, {p}) ‖ uniform)"] == f"{one_way} nats"
        assert found[f"KL(uniform ‖ B(12, {p}))"] == f"{other_way} nats"
        assert found[f"KL(uniform ‖ B(12, {p})), sampled"].startswith("infinite in")


def test_both_directions():
    density = sum(w * norm(m, s).pdf(X) for w, m, s in zip(WEIGHTS, MEANS, DEVIATIONS, strict=True))
    q = norm(0.5, 2.0).pdf(X)
    assert density.sum() * STEP == pytest.approx(1, rel=1e-9)
    assert forward(0.5, 2.0) == pytest.approx((density * np.log(density / q)).sum() * STEP, rel=1e-9)
    assert reverse(0.5, 2.0) == pytest.approx((q * np.log(q / density)).sum() * STEP, rel=1e-9)
    mean = (density * X).sum() * STEP
    deviation = math.sqrt((density * (X - mean) ** 2).sum() * STEP)
    assert fit(forward, 0.0) == pytest.approx((mean, deviation), abs=1e-5)
    seeking = fit(reverse, MEANS[0])
    assert seeking == pytest.approx((MEANS[0], DEVIATIONS[0]), abs=0.02)
    assert reverse(*seeking) < reverse(*fit(reverse, MEANS[1])) < reverse(mean, deviation)


def test_breast_cancer():
    scores = accuracies(*load_breast_cancer(return_X_y=True), splits=8, seed=0)
    assert scores["mahalanobis"][0].mean() == pytest.approx(0.953, abs=0.015)
    assert scores["l2"][0].mean() == pytest.approx(0.879, abs=0.02)
    np.testing.assert_array_equal(*scores["mahalanobis"])
    assert scores["l2"][1].mean() > scores["l2"][0].mean() + 0.02


def test_the_gaussians_have_the_information_and_the_ratio_that_they_are_said_to_have():
    rng = np.random.default_rng(0)
    x, y = correlated_gaussians(BATCH, D, 6.0, rng)
    r = np.sqrt(1 - np.exp(-2 * 6.0 / D))
    joint = np.kron([[1, r], [r, 1]], np.eye(D))
    assert mutual_information_of_gaussian(joint, D) == pytest.approx(6.0, rel=1e-9)
    ratios = log_ratio(x, y, 6.0)
    for i, j in (0, 0), (3, 7), (5, 5):
        both = multivariate_normal(np.zeros(2 * D), joint).logpdf([*x[i], *y[j]])
        apart = norm.logpdf(x[i]).sum() + norm.logpdf(y[j]).sum()
        assert ratios[i, j] == pytest.approx(both - apart, rel=1e-9)


@pytest.mark.parametrize("information", [0.2, 1.0, 2.0])
def test_the_deviation_of_nwj(information):
    rng, values = np.random.default_rng(0), []
    for _ in range(4000):
        scores = log_ratio(*correlated_gaussians(BATCH, D, information, rng), information)
        mismatched = (np.exp(scores).sum() - np.exp(np.diag(scores)).sum()) / (BATCH * (BATCH - 1))
        values.append(1 + np.diag(scores).mean() - mismatched)
    assert np.mean(values) == pytest.approx(information, rel=0.02)
    assert np.std(values) == pytest.approx(nwj_deviation(information), rel=0.06)


def test_areas_of_balls(tmp_path):
    for row in balls(tmp_path):
        assert float(row.ours) == pytest.approx(float(row.source), rel=0.02)
