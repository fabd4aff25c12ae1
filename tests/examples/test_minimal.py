"""The method in one file computes what the package computes."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from imageio.v3 import imread
from keras import ops

from dim.layers.critics import pairs
from dim.losses.objectives import info_nce
from dim.losses.priors import kl_to_standard_normal

EXAMPLE = Path(__file__).parents[2] / "examples/minimal.py"


@pytest.fixture(scope="module")
def minimal():
    source = importlib.util.spec_from_file_location("minimal", EXAMPLE)
    module = importlib.util.module_from_spec(source)
    source.loader.exec_module(module)
    return module


def value(x):
    return float(ops.convert_to_numpy(x))


def test_it_fits_on_a_few_screens_and_imports_nothing_of_ours():
    text = EXAMPLE.read_text("utf8")
    assert len(text.splitlines()) <= 150
    assert "import dim" not in text and "from dim" not in text


def test_its_objective_is_infonce(minimal):
    scores = np.random.default_rng(0).normal(0, 4, (5, 5, 3)).astype("float32")
    expected = info_nce(*pairs(ops.convert_to_tensor(scores), 0)).loss
    assert value(minimal.info_nce(ops.convert_to_tensor(scores))) == pytest.approx(value(expected), rel=1e-5)


def test_its_loss_is_that_of_the_package_term_by_term(minimal, monkeypatch):
    model = minimal.DeepInfoMax()
    monkeypatch.setattr(minimal.keras.random, "normal", lambda shape, seed: ops.zeros(shape))
    one, other = (
        model.encoder(np.random.default_rng(i).uniform(0, 255, (4, 64, 64, 3)).astype("float32"))
        for i in (0, 1)
    )
    one["log_variance"] = one["log_variance"] + 0.3  # which starts at zero

    def information(sides, features):
        code, features = sides[0](one["mean"]), sides[1](features)
        scored = pairs(ops.einsum("iu,jlu->ijl", code, features) / minimal.U**0.5, 0)
        return value(info_nce(*scored).loss)

    expected = (
        minimal.ALPHA * information(model.global_sides, ops.reshape(other["map"], (4, 1, -1)))
        + minimal.BETA * information(model.local_sides, ops.reshape(other["map"], (4, 16, -1)))
        + minimal.GAMMA * value(ops.mean(kl_to_standard_normal(one["mean"], one["log_variance"])))
    )
    assert value(model.loss_between(one, other)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_it_learns_and_draws_in_small(minimal, tmp_path, capsys):
    minimal.main(per_photograph=5, epochs=1)
    assert "10 neighbours are of the same photograph; chance is 7%" in capsys.readouterr().out
    assert imread(tmp_path / "neighbours.png").shape == (14 * 64, 11 * 64, 3)
