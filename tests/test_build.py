"""From a configuration to a model."""

import keras
import pytest

from dim.build import build_model
from dim.configuration import Configuration
from dim.critics import ConcatenateAndConvolve, EncodeAndDot

SMALL = {"image_size": 16, "code_size": 5, "critic_units": 6, "critic_layers": 3}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("encode-and-dot", EncodeAndDot), ("concatenate-and-convolve", ConcatenateAndConvolve)],
)
def test_the_critics_are_those_of_the_configuration(name, kind):
    model = build_model(Configuration(critic=name, **SMALL))
    assert type(model.local_critic) is type(model.global_critic) is kind
    if kind is ConcatenateAndConvolve:
        assert model.local_critic.widths == (6, 6, 6)


@pytest.mark.parametrize(("precision", "dtype"), [("float32", "float32"), ("mixed_bfloat16", "bfloat16")])
def test_the_layers_compute_in_the_precision_of_the_configuration(precision, dtype):
    model = build_model(Configuration(precision=precision, **SMALL))
    assert model.encoder.get_layer("feature_map").compute_dtype == dtype


@pytest.mark.parametrize("views", [1, 2])
def test_two_views_have_an_augmentation(views):
    assert (build_model(Configuration(views=views, **SMALL)).augmentation is None) == (views == 1)


def test_the_optimizer_is_that_of_the_configuration_and_ready_to_be_saved():
    model = build_model(Configuration(learning_rate=0.02, weight_decay=0.3, **SMALL))
    assert isinstance(model.optimizer, keras.optimizers.AdamW) and model.optimizer.built
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02)
    assert model.optimizer.weight_decay == 0.3
