"""Presets are complete, named as they are called, and the seed model's is to the letter."""

import pytest

from dim.build import build_model
from dim.critics import ConcatenateAndConvolve
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
