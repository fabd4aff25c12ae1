"""Settings that make no sense are refused; the choices offered are the ones that exist."""

import sys
from pathlib import Path
from subprocess import run
from typing import get_args, get_type_hints

import pytest

from dim.choices import BY_TEMPERATURE, LOSSES
from dim.configuration import Configuration
from dim.errors import DimError


def test_choices_are_known_without_keras():
    program = "import sys, dim.presets; raise SystemExit('keras' in sys.modules)"
    assert run([sys.executable, "-c", program], cwd=Path(__file__).parents[1]).returncode == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 1}, "--batch-size must be at least 2, not 1"),
        ({"epochs": 0}, "--epochs must be at least 1, not 0"),
        ({"image_size": 4}, "--image-size must be at least 8"),
        ({"learning_rate": -1.0}, "--learning-rate must be finite and not negative"),
        ({"gamma": float("nan")}, "--gamma must be finite and not negative"),
        ({"seed": -1}, "--seed must be at least 0"),
        ({"seed": 2**32}, "--seed must be at most 2,147,483,647"),
        ({"critic_layers": 0}, "--critic-layers must be at least 1"),
        ({"alpha": 0.0, "beta": 0.0}, "nothing to learn"),
        ({"negatives": -1}, "--negatives must be at least 0"),
        ({"negatives": 100}, "take fewer than --batch-size 100"),
        ({"crop": 0.0}, "--crop must be above 0"),
        ({"view_size": -1}, "--view-size must be at least 0"),
        ({"view_size": 48}, "--view-size 48: .*; add --alpha 0 or --summary code"),
        ({"occlusion": 1.0}, "--occlusion must be less than 1"),
        ({"temperature": -0.2}, "--temperature must be finite and not negative"),
        ({"data": "a\0b"}, r"--data 'a\\x00b' cannot be the name of a file"),
        ({"data": "\ud800"}, "cannot be the name of a file"),
        ({"encoder": "evil"}, "--encoder is 'evil', not 'seed' or"),
        ({"image_size": 64.5}, "--image-size is 64.5, not an integer"),
        ({"method": "vae", "prior": "none"}, "--method vae needs --prior kl, not none"),
        ({"margin": -0.2}, "--margin must be finite and not negative"),
        ({"per_class": 1}, "--per-class must be at least 2"),
        (
            {"method": "metric", "temperature": 0.1, "batch_size": 9},
            "--batch-size 9 has no room for two classes of --per-class 5",
        ),
        ({"method": "metric", "loss": "n-pair"}, "--loss n-pair needs a --temperature above 0"),
    ],
)
def test_senseless_settings_are_refused_in_one_line(settings, message):
    with pytest.raises(DimError, match=message) as caught:
        Configuration(**settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("loss", LOSSES)
def test_only_losses_by_temperature_need_one(loss):
    if loss in BY_TEMPERATURE:
        with pytest.raises(DimError, match="--temperature"):
            Configuration(method="metric", loss=loss)
    else:
        Configuration(method="metric", loss=loss)


@pytest.mark.parametrize(
    ("per_class", "classes", "expected"),
    [
        (5, 20, (20, 5)),
        (5, 200, (20, 5)),
        (8, 20, (12, 8)),
        (5, 3, (3, 33)),
        (5, 2, (2, 50)),
        (4, 25, (25, 4)),
    ],
)
def test_a_batch_of_metric_learning_holds_as_many_whole_classes_as_fit(per_class, classes, expected):
    configuration = Configuration(method="metric", per_class=per_class, temperature=0.1)
    assert configuration.classes_and_images(classes) == expected
    assert configuration.images_per_step(classes) == expected[0] * expected[1]
    assert Configuration().images_per_step(classes) == 100


def test_who_learns_from_labels():
    learners = [
        m
        for m in get_args(get_type_hints(Configuration)["method"])
        if Configuration(method=m, temperature=0.1).needs_labels
    ]
    assert learners == ["supervised", "metric"]


@pytest.mark.parametrize(
    "settings",
    [
        {"crop": 1.0},
        {"occlusion": 0.99},
        {"negatives": 99},
        {"batch_size": 2, "code_size": 1, "image_size": 8, "epochs": 1},
        {"method": "metric", "temperature": 0.1, "batch_size": 10, "per_class": 5},
    ],
)
def test_settings_at_their_limits_are_accepted(settings):
    Configuration(**settings)


@pytest.mark.parametrize("name", ["learning_rate", "weight_decay", "temperature", "clip", "alpha", "delta"])
def test_infinite_settings_are_refused(name, declined):
    with declined(f"--{name.replace('_', '-')} must be finite"):
        Configuration(**{name: float("inf")})
