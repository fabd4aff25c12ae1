"""What happens around training: progress, checkpoints, and a stop before harm is done."""

import math
import shutil
import sys
import time

import keras
import numpy as np
from tqdm import tqdm

from dim.errors import DimError
from dim.training.devices import on_one
from dim.training.hosts import Hosts
from dim.training.run import Run

_DETAILS = ("_bound", "_accuracy")
_EVERY = 10


class Callbacks(keras.callbacks.CallbackList):
    """A list of callbacks that leaves a step's logs on the device until one of them reads a value.

    Keras turns all of them into floats after every step, and so waits for the device each time. The other
    arguments are what `fit` tells the callbacks if it makes the list itself.
    """

    def __init__(self, callbacks: list, model: keras.Model, epochs: int, steps: int):
        super().__init__(callbacks, add_history=True, model=model, epochs=epochs, steps=steps, verbose=0)

    def on_train_batch_end(self, batch, logs=None):
        for callback in self.callbacks:
            callback.on_train_batch_end(batch, logs)


class Progress(keras.callbacks.Callback):
    """One bar an epoch, with images, or what else a step takes, a second and the terms of the loss."""

    def __init__(self, images_per_step: int, unit: str = "images"):
        super().__init__()
        self.images_per_step, self.unit = images_per_step, unit

    def on_epoch_begin(self, epoch, logs=None):
        images = self.params["steps"] * self.images_per_step
        seldom = 0.2 if sys.stderr.isatty() else 5  # seconds
        look = {"unit": f" {self.unit}", "dynamic_ncols": True, "mininterval": seldom}
        self.bar = tqdm(total=images, desc=f"epoch {epoch + 1}/{self.params['epochs']}", **look)

    def on_train_batch_end(self, batch, logs=None):
        if batch % _EVERY == 0:  # reading a term waits for the device
            self._show(logs)
        self.bar.update(self.images_per_step)

    def on_epoch_end(self, epoch, logs=None):
        self._show(logs)
        self.bar.close()

    def _show(self, logs):
        names = ["loss", *(name for name in self.model.terms if not name.endswith(_DETAILS))]
        terms = {name: float(logs[name]) for name in names}
        if "knn_cosine" in logs:
            terms["20-NN"] = logs["knn_cosine"]
        self.bar.set_postfix(terms, refresh=False)


class Guard(keras.callbacks.Callback):
    """Stops before anything is written that is worthless or does not fit on the disk. Put it first.

    `epoch` is the number of complete epochs. Raises DimError if the loss or, after an epoch, a weight is NaN
    or infinite, or the disk is nearly full, which is looked at before the first epoch too.
    """

    def __init__(self, run: Run, epoch: int = 0):
        super().__init__()
        self.run, self.epoch = run, epoch

    def on_train_begin(self, logs=None):
        self._check_room()

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if batch % _EVERY == 0:
            self._check_loss(logs)

    def on_epoch_end(self, epoch, logs=None):
        self._check_loss(logs)
        if not all(np.isfinite(weight).all() for weight in self.model.get_weights()):
            raise self._diverged("the weights became infinite")
        self._check_room()

    def _check_room(self):
        variables = (*self.model.variables, *self.model.optimizer.variables)
        needed = 2 * sum(4 * math.prod(variable.shape) for variable in variables)
        free = shutil.disk_usage(self.run.path).free
        if free < needed:
            room = f"{free / 1e6:,.0f} MB are free for {self.run.path}, an epoch needs {needed / 1e6:,.0f}"
            raise DimError(f"{room}; {_kept(self.epoch)}; make room and run the same command")

    def _check_loss(self, logs):
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise self._diverged(f"the loss became {loss}")

    def _diverged(self, what):
        where = f"in epoch {self.epoch + 1} of {self.run.path}"
        return DimError(f"{what} {where}; {_kept(self.epoch)}; try a smaller --learning-rate")


class SaveEachEpoch(keras.callbacks.Callback):
    """Adds a row to the run's log and replaces its checkpoint. Put it last, when the logs are full."""

    def __init__(self, run: Run):
        super().__init__()
        self.run = run

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        try:
            self.run.log_epoch(epoch + 1, {**logs, "seconds": time.monotonic() - self.started})
            with on_one():  # as Keras makes variables to save a model, in which no other process takes part
                self.run.save(self.model)
        except OSError as error:
            what = f"cannot save {self.run.checkpoint}: {error.strerror or error}"
            raise DimError(f"{what}; {_kept(epoch)}; make room and run the same command") from error


class Apart(keras.callbacks.Callback):
    """Shows another callback a copy of the model that lies on one device, whatever the model lies on."""

    def __init__(self, callback: keras.callbacks.Callback):
        super().__init__()
        self.callback = callback

    def set_model(self, model):
        super().set_model(model)
        with on_one():
            self.copy = type(model).from_config(model.get_config())
        self.callback.set_model(self.copy)

    def on_train_begin(self, logs=None):
        self._show("on_train_begin", logs)

    def on_epoch_end(self, epoch, logs=None):
        self._show("on_epoch_end", epoch, logs)

    def on_train_end(self, logs=None):
        self._show("on_train_end", logs)

    def _show(self, event, *arguments):
        with on_one():
            self.copy.encoder.set_weights(self.model.encoder.get_weights())
            getattr(self.callback, event)(*arguments)


class Meet(keras.callbacks.Callback):
    """Waits for the other processes before every epoch: process 0 may still look and save. Put it last."""

    def __init__(self, hosts: Hosts):
        super().__init__()
        self.hosts = hosts

    def on_train_begin(self, logs=None):
        self.hosts.wait()

    def on_epoch_end(self, epoch, logs=None):
        self.hosts.wait()


def _kept(epochs: int) -> str:
    """What is left of a run that stops after so many complete epochs."""
    return f"the checkpoint of epoch {epochs} is kept" if epochs else "nothing was saved"
