"""Settings that make no sense are refused; the choices offered are the ones that exist."""

from typing import get_args, get_type_hints

import pytest

from dim.configuration import Configuration
from dim.critics import CRITICS
from dim.encoders import ENCODERS
from dim.errors import DimError
from dim.model import SUMMARIES
from dim.objectives import OBJECTIVES
from dim.priors import TARGETS


@pytest.mark.parametrize(
    ("field", "choices"),
    [
        ("critic", CRITICS),
        ("encoder", ENCODERS),
        ("objective", OBJECTIVES),
        ("summary", SUMMARIES),
        ("prior", ("kl", "none", *TARGETS)),
    ],
)
def test_the_command_line_offers_exactly_what_exists(field, choices):
    assert set(get_args(get_type_hints(Configuration)[field])) == set(choices)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 1}, "--batch-size must be at least 2, not 1"),
        ({"epochs": 0}, "--epochs must be at least 1, not 0"),
        ({"image_size": 4}, "--image-size must be at least 8"),
        ({"learning_rate": -1.0}, "--learning-rate must be finite and not negative"),
        ({"gamma": float("nan")}, "--gamma must be finite and not negative"),
        ({"seed": -1}, "--seed must be at least 0"),
        ({"critic_layers": 0}, "--critic-layers must be at least 1"),
        ({"alpha": 0.0, "beta": 0.0}, "nothing to learn"),
        ({"negatives": -1}, "--negatives must be at least 0"),
        ({"negatives": 100}, "take fewer than --batch-size 100"),
        ({"crop": 0.0}, "--crop must be above 0"),
        ({"occlusion": 1.0}, "--occlusion must be less than 1"),
        ({"temperature": -0.2}, "--temperature must be finite and not negative"),
        ({"method": "vae", "prior": "none"}, "--method vae needs --prior kl, not none"),
    ],
)
def test_senseless_settings_are_refused_in_one_line(settings, message):
    with pytest.raises(DimError, match=message) as caught:
        Configuration(**settings)
    assert "\n" not in str(caught.value)
