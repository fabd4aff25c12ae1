"""Command lines on the page give back the options they were made of."""

import shlex
import sys
from dataclasses import replace

import pytest

from dim.configuration import Configuration
from dim.presets import PRESETS
from dim.training.run import Run
from experiments import command_line, train
from experiments.evaluate import options as evaluate
from experiments.report.commands import program_command, train_command


def parsed(line, options, monkeypatch):
    """What the program that the line calls would get."""
    got = []
    python, m, module, *words = shlex.split(line)
    assert (python, m) == ("python", "-m")
    monkeypatch.setattr(sys, "argv", [module, *words])
    command_line.run(lambda given: got.append(given), options, "")
    return got[0]


@pytest.mark.parametrize("preset", PRESETS)
def test_training_again_has_the_same_configuration(preset, monkeypatch):
    changed = {"data": "/my pictures/ü $HOME 'x'", "epochs": 7, "clip": 20.0, "code_size": 31}
    for configuration in PRESETS[preset](), replace(PRESETS[preset](), **changed, precision="float32"):
        line = train_command(Run("my run"), configuration)
        assert parsed(line, train.Options, monkeypatch) == train.Options(configuration, "my run")


def test_only_what_differs_from_the_preset_is_named():
    line = train_command(Run("first"), replace(PRESETS["two-view"](), data="photo-patches", seed=3))
    assert line == (
        "python -m experiments.train --run first --preset two-view --data photo-patches --epochs 12 --seed 3"
    )


def test_a_preset_that_is_no_more_is_spelled_out():
    line = train_command(Run("first"), Configuration(preset="gone", crop=0.5))
    assert "--preset gone" in line and "--crop 0.5" in line


def test_evaluating_again_has_the_same_options(monkeypatch):
    options = evaluate.Options(run="a,b", quick=True, metrics=("l1", "cosine"), supervised="it's", seed=4)
    line = program_command("evaluate", Run("a"), options)
    assert parsed(line, evaluate.Options, monkeypatch) == replace(options, run="a")
    assert program_command("evaluate", Run("a"), evaluate.Options()).endswith("--run a")
