"""What happens around training."""

import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from dim.configuration import Configuration
from dim.errors import DimError
from dim.methods.build import build_model
from dim.training.callbacks import Callbacks, Guard, Progress, SaveEachEpoch
from dim.training.run import Run

pytestmark = pytest.mark.usefixtures("eagerly")

SMALL = Configuration(image_size=16, code_size=5, critic_units=6, batch_size=4, views=1, alpha=0.0)


def images(count=4):
    return np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), "uint8")


def test_the_bar_counts_images_and_shows_the_terms(capsys):
    build_model(SMALL).fit(images(), batch_size=4, epochs=2, verbose=0, callbacks=[Progress(4)])
    shown = capsys.readouterr().err
    assert "epoch 1/2: 100%" in shown and "epoch 2/2: 100%" in shown and "4/4" in shown
    assert all(f"{term}=" in shown for term in ("loss", "local", "prior"))


class Looks(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen, self.epochs = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(logs["loss"])

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(logs["loss"])


def test_a_steps_logs_are_left_on_the_device_and_an_epochs_are_numbers():
    looks, model = Looks(), build_model(SMALL)
    history = model.fit(
        images(8), batch_size=4, epochs=2, verbose=0, callbacks=Callbacks([looks], model, epochs=2, steps=2)
    )
    assert len(looks.seen) == 4 and not any(isinstance(loss, float) for loss in looks.seen)
    assert all(math.isfinite(float(loss)) for loss in looks.seen)
    assert history.history["loss"] == looks.epochs and all(isinstance(loss, float) for loss in looks.epochs)
    assert looks.params == {"epochs": 2, "steps": 2, "verbose": 0}


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_training_and_keeps_the_checkpoint(bad):
    run = Run("first")
    run.claim(SMALL)
    model = build_model(SMALL)

    def break_before_second_epoch(epoch, logs):
        if epoch == 1:
            weight = model.encoder.trainable_weights[0]
            weight.assign(np.full(weight.shape, bad))

    callbacks = [
        keras.callbacks.LambdaCallback(on_epoch_begin=break_before_second_epoch),
        Guard(run),
        SaveEachEpoch(run),
    ]
    with pytest.raises(DimError, match=r"in epoch 2 of runs/first; the checkpoint of epoch 1 is kept"):
        model.fit(images(), batch_size=4, epochs=3, verbose=0, callbacks=callbacks)
    kept = run.load()
    assert int(kept.optimizer.iterations) == 1
    assert all(np.isfinite(w).all() for w in kept.get_weights())
    assert len(run.log.read_text().splitlines()) == 2


def test_weights_broken_by_the_last_step_are_not_saved():
    """The loss is that of the weights before the step, so it does not show."""
    run = Run("first")
    run.claim(SMALL)
    model = build_model(SMALL)
    model.optimizer.learning_rate.assign(math.inf)
    with pytest.raises(DimError, match=r"weights became infinite in epoch 1 .*nothing was saved"):
        model.fit(images(4), batch_size=4, verbose=0, callbacks=[Guard(run), SaveEachEpoch(run)])
    assert not run.checkpoint.exists()


def test_a_disk_without_room_for_an_epoch_stops_training_before_anything_is_written(monkeypatch):
    run = Run("first")
    run.claim(SMALL)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(DimError, match="1 MB are free for runs/first"):
        build_model(SMALL).fit(images(), batch_size=4, verbose=0, callbacks=[Guard(run), SaveEachEpoch(run)])
    assert [file.name for file in run.path.iterdir()] == ["configuration.json"]


def test_a_full_disk_while_saving_is_said_in_one_line(monkeypatch):
    run = Run("first")
    run.claim(SMALL)

    def full(model):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run, "save", full)
    with pytest.raises(DimError, match="No space left on device; nothing was saved; make room") as caught:
        build_model(SMALL).fit(images(), batch_size=4, verbose=0, callbacks=[SaveEachEpoch(run)])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_is_looked_at_every_tenth_step_and_after_each_epoch(loss):
    guard = Guard(Run("first"))
    guard.on_epoch_begin(0)
    guard.on_train_batch_end(9, {"loss": loss})
    for look in (
        lambda: guard.on_train_batch_end(10, {"loss": loss}),
        lambda: guard.on_epoch_end(0, {"loss": loss}),
    ):
        with pytest.raises(DimError, match=f"the loss became {loss} in epoch 1"):
            look()


def test_a_single_weight_that_is_no_number_is_enough():
    run, guard = Run("first"), Guard(Run("first"))
    run.claim(SMALL)
    model = build_model(SMALL)
    guard.set_model(model)
    guard.on_epoch_begin(0)
    guard.on_epoch_end(0, {"loss": 1.0})
    weight = model.encoder.trainable_weights[-1]
    values = weight.numpy()
    values.flat[0] = math.nan
    weight.assign(values)
    with pytest.raises(DimError, match="weights became infinite"):
        guard.on_epoch_end(0, {"loss": 1.0})


def test_an_epoch_needs_room_for_two_checkpoints(monkeypatch):
    run, guard = Run("first"), Guard(Run("first"))
    run.claim(SMALL)
    model = build_model(SMALL)
    guard.set_model(model)
    guard.on_epoch_begin(0)
    twice = 2 * 4 * sum(math.prod(v.shape) for v in (*model.variables, *model.optimizer.variables))
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=twice))
    guard.on_epoch_end(0, {"loss": 1.0})
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=twice - 1))
    with pytest.raises(DimError, match="make room"):
        guard.on_epoch_end(0, {"loss": 1.0})


def test_the_first_epoch_is_logged_as_the_first():
    run = Run("first")
    run.claim(SMALL)
    build_model(SMALL).fit(images(), batch_size=4, epochs=2, verbose=0, callbacks=[SaveEachEpoch(run)])
    _, *rows = run.log.read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["1", "2"]
