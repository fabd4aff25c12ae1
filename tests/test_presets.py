"""Presets are complete, named as they are called, and the seed model's is to the letter."""

from dataclasses import replace

import pytest

from dim.layers.critics import ConcatenateAndConvolve
from dim.methods.build import build_model
from dim.methods.deep_infomax import DeepInfoMax
from dim.presets import PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_knows_its_name_and_says_where_it_comes_from(name):
    assert PRESETS[name]().preset == name
    assert len(PRESETS[name].__doc__.splitlines()[0]) > 20


def test_the_seed_preset_is_the_seed_model():
    model = build_model(PRESETS["seed"]())
    assert model.encoder.count_params() == 1_704_128
    for critic in model.local_critic, model.global_critic:
        assert isinstance(critic, ConcatenateAndConvolve) and critic.negatives == 1
        assert critic.count_params() == 263_169
    assert (model.global_weight, model.local_weight, model.prior_weight) == (0.5, 1.5, 0.01)
    assert (model.objective, model.summary) == ("jsd", "code")
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    assert model.optimizer.weight_decay == 0


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_a_model(name):
    model = build_model(replace(PRESETS[name](), image_size=16), steps_per_epoch=10, classes=4)
    assert model.built and (PRESETS[name]().method == "dim") == isinstance(model, DeepInfoMax)


@pytest.mark.parametrize("objective", ["jsd", "dv", "nce"])
def test_the_presets_of_the_paper_are_its_local_settings(objective):
    model = build_model(replace(PRESETS[f"paper-local-{objective}"](), image_size=16))
    assert model.objective == {"nce": "infonce"}.get(objective, objective)
    assert model.global_critic is None and model.local_weight == 1 and model.augmentation is None
    assert model.local_critic.units == 2048
    assert (model.prior_discriminator.target, model.prior_discriminator.weight) == ("uniform", 0.1)
    assert model.encoder.output["mean"].shape == (None, 64)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-4)


def test_the_default_has_the_asked_for_shape():
    model = build_model(replace(PRESETS["dim"](), image_size=16))
    assert model.local_critic is not None and model.global_critic is not None
    assert "log_variance" in model.encoder.output and model.prior_weight > 0
