"""Pieces of an evaluation on numbers made up for the purpose."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from dim.encoders import LOG_VARIANCE
from dim.evaluation.prior_fit import prior_fit
from experiments.evaluate import evaluation as module
from experiments.evaluate.evaluation import Evaluation, _gaussians


@pytest.mark.parametrize(("D", "nats"), [(1, 2.0), (4, 2.0), (10, 20.0)])
def test_the_gaussians_share_as_many_nats_as_they_should(D, nats):
    x, y = _gaussians(50_000, D, nats, seed=1)
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(x.T, y.T, strict=True)]
    assert -sum(math.log(1 - r**2) for r in correlations) / 2 == pytest.approx(nats, rel=0.02)
    assert (x.std(), y.std()) == pytest.approx((1, 1), abs=0.02)


def test_for_a_prior_by_kl_codes_are_sampled_from_their_posteriors(monkeypatch):
    mean, log_variance = np.ones((400, 3)), np.full((400, 3), math.log(4))
    monkeypatch.setattr(module, "posterior", lambda encoder, images: (mean, log_variance))
    evaluation = SimpleNamespace(
        configuration=SimpleNamespace(prior="kl"), dataset=SimpleNamespace(val=SimpleNamespace(images=None))
    )
    encoder = SimpleNamespace(output={LOG_VARIANCE: None})
    found = Evaluation._prior_fit(evaluation, encoder, mean, np.random.default_rng(0))
    sampled = 1 + 2 * np.random.default_rng(0).normal(size=(400, 3))
    assert found == prior_fit(sampled, "kl")._asdict()


def test_dependence_is_that_of_images_and_their_own_codes(monkeypatch):
    asked = []

    def estimate(*samples, seed):
        asked.append(samples)
        return SimpleNamespace(nats=0.1, ceiling=3.0)

    monkeypatch.setattr(module, "mutual_information", estimate)
    monkeypatch.setattr(module, "neural_dependency", estimate)
    monkeypatch.setattr(module, "DEPENDENCE_IMAGES", 20)
    evaluation = SimpleNamespace(
        options=SimpleNamespace(seed=3),
        dataset=SimpleNamespace(val=SimpleNamespace(images=np.zeros((2, 8, 8, 3), "uint8")), image_size=8),
        notes={},
        dependence={},
        _step=lambda *_: None,
    )
    numbers = np.arange(50.0)[:, None]
    Evaluation._dependence(evaluation, {"": None}, {"": (10 * numbers, numbers[:5])}, numbers)
    (x, y), (codes,), *_ = asked
    assert len(np.unique(x)) == 20 and (y == 10 * x).all() and (codes == y).all()
    assert set(x.ravel()) != set(range(20))
