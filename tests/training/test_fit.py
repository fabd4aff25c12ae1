"""Training from Python: the same as from the command line, and called again and again."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import dim
from dim.presets import PRESETS
from dim.training.run import Run

pytestmark = pytest.mark.usefixtures("eagerly")

SMALL = {"image_size": 16, "code_size": 8, "critic_units": 8, "batch_size": 40, "precision": "float32"}
SMALL |= {"views": 1, "alpha": 0.0}
TWO_EPOCHS = dim.Configuration(epochs=2, **SMALL)


def codes(run):
    encoder = keras.saving.load_model(run.encoder)
    images = np.random.default_rng(1).integers(0, 256, (5, 16, 16, 3), "uint8")
    return encoder.predict(images, verbose=0)["mean"]


def as_good_as_trained(photographs, epochs=1, **settings):
    """A run whose checkpoint holds initial weights after the steps of one epoch, and its configuration."""
    configuration = dim.Configuration(epochs=epochs, data=str(photographs), **SMALL, **settings)
    model = dim.build_model(configuration, steps_per_epoch=2)
    model.optimizer.iterations.assign(2)
    run = Run("first")
    run.claim(configuration, dim.data.load(str(photographs), 16))
    run.save(model)
    return run, configuration


def logged(run):
    with run.log.open() as file:
        return list(csv.DictReader(file))


def test_a_call_trains_and_reports_and_a_second_call_finds_it_done(photographs, capsys):
    run = dim.train(TWO_EPOCHS, photographs, "called")
    out, err = capsys.readouterr()
    assert out.startswith("photographs: 90 train + 10 val, 2 classes") and "runs/called" in out
    assert "epoch 2/2: 100%" in err and [row["epoch"] for row in logged(run)] == ["1", "2"]
    accuracy = run.read_json(run.results)["accuracy"]
    assert set(accuracy) == {"raw pixels", "untrained encoder", "code"}
    assert f"{accuracy['code']['cosine']:6.1%}" in out and list(run.path.glob("events.out.tfevents*"))
    assert run.configuration().image_size == 16 and run.load().encoder.name == "encoder"
    dim.train(TWO_EPOCHS, dim.data.load(str(photographs), 16), "called")
    assert "complete after 2 epochs; to go on: EPOCHS=4" in capsys.readouterr().out
    assert logged(run) == logged(Run("called")) and not list(run.path.glob("unfinished-*"))


@pytest.mark.slow
def test_metric_learning_that_stopped_goes_on_as_if_it_had_never(photographs, capsys):
    once = replace(PRESETS["metric-supcon"](), epochs=1, data=str(photographs), **SMALL)
    dim.train(once, run="stopped")
    stopped = dim.train(replace(once, epochs=2), run="stopped")
    assert "going on after epoch 1 of 2" in capsys.readouterr().out
    whole = dim.train(replace(once, epochs=2), run="whole")
    np.testing.assert_allclose(codes(stopped), codes(whole), atol=1e-6)
    assert {"loss", "same_cosine", "different_cosine", "knn_cosine"} < set(logged(stopped)[0])
    assert len(logged(stopped)) == 2


@pytest.mark.parametrize("preset", ["supervised", "paper-local-jsd"])
def test_other_presets_train(photographs, capsys, preset):
    run = dim.train(replace(PRESETS[preset](), epochs=1, **SMALL), photographs)
    assert run.name == f"photographs-{preset}" and len(logged(run)) == 1
    assert "validation accuracy of 20-NN" in capsys.readouterr().out


def test_a_schedule_that_ends_is_not_told_to_go_on(photographs, capsys):
    run, configuration = as_good_as_trained(photographs, epochs=1, schedule="cosine")
    dim.train(configuration, run=run.name)
    assert "complete after 1 epochs\n" in capsys.readouterr().out


def test_arrays_with_labels_are_trained_on_and_known_again(photographs, capsys, refused):
    whole = dim.data.load_whole(str(photographs), 16).train
    once = dim.Configuration(**{**SMALL, "image_size": 64})
    run = dim.train(replace(once, epochs=1), (whole.images, ["a", "b"] * 50), "arrays")
    assert "arrays: 90 train + 10 val, 2 classes, 16×16" in capsys.readouterr().out
    assert run.configuration().image_size == 16 and run.results.exists()
    with refused("runs/arrays was started on other images"):
        dim.train(replace(once, epochs=1), (whole.images[::-1], ["a", "b"] * 50), "arrays")
    with refused("--tune", "name or path"):
        dim.train(replace(once, tune=True), whole.images)


def test_without_labels_nothing_is_said_of_accuracy(photographs, capsys):
    images = dim.data.load(str(photographs), 16).train.images
    run = dim.train(replace(TWO_EPOCHS, epochs=1), images, "unlabelled")
    out = capsys.readouterr().out
    assert "no labels" in out and "accuracy" not in out and not run.results.exists()
    assert run.encoder.exists()


def test_what_does_not_fit_a_run_is_refused_and_leaves_it_as_it_is(photographs, tmp_path, refused):
    run, configuration = as_good_as_trained(photographs)
    before = {file: file.read_bytes() for file in run.path.glob("*.*")}
    with refused("gamma 0.01, not 0.5"):
        dim.train(replace(configuration, gamma=0.5), run="first")
    renamed = shutil.move(photographs / "stripes/stripes 0.png", photographs / "stripes/renamed.png")
    with refused("was started on other images than there are now, though as many"):
        dim.train(configuration, run="first")
    assert before == {file: file.read_bytes() for file in run.path.glob("*.*")}

    run.checkpoint.write_bytes(before[run.checkpoint][:5000])
    shutil.move(renamed, photographs / "stripes/stripes 0.png")
    moved = photographs.rename(tmp_path / "moved")  # known again by its content
    with refused("checkpoint.keras is damaged"):
        dim.train(configuration, moved, "first")


def test_a_diverging_loss_leaves_the_name_free(photographs, refused):
    with refused("the loss became", "--learning-rate"):
        dim.train(replace(TWO_EPOCHS, learning_rate=1e30), photographs, "first")
    assert not Run("first").has_learned


@pytest.mark.parametrize("preset", ["supervised", "metric-supcon"])
def test_learning_with_labels_needs_labels(preset, refused):
    configuration = replace(PRESETS[preset](), **SMALL)
    with refused("arrays has no labels", f"--method {configuration.method}"):
        dim.train(configuration, np.zeros((50, 16, 16, 3), "uint8"))


def test_what_cannot_be_trained_on_makes_no_folder(photographs, refused):
    with refused("more than the 90 training images", "--batch-size 22"):
        dim.train(replace(TWO_EPOCHS, batch_size=91), photographs)
    with refused("no data at"):
        dim.train(TWO_EPOCHS, "nowhere")
    with Run("first").alone(), refused("is being trained by process"):
        dim.train(TWO_EPOCHS, photographs, "first")
    assert not list(Path().glob("runs/*"))
