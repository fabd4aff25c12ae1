"""The epochs that a run lacks, whatever it learns from."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import keras

from dim.data.batches import Made
from dim.device import describe_device
from dim.errors import DimError
from dim.names import printable
from dim.training.callbacks import Callbacks, Guard, Progress, SaveEachEpoch
from dim.training.events import Events
from dim.training.monitor import tag_of
from dim.training.run import Run


class Look(keras.callbacks.Callback):
    """Writes the logs of every epoch as TensorBoard's events, and what `numbers` finds in the model.

    It is called after every epoch with the model and gives name → number; these stand in the log, too, as
    `val_` and the name. `done` is how many epochs are complete.
    """

    def __init__(self, run: Run, numbers, done: int):
        super().__init__()
        self.numbers, self.writer = numbers, Events(run.path, first=done + 1 if done else 0)

    def on_epoch_end(self, epoch, logs=None):
        for name, value in logs.items():
            self.writer.add_scalar(tag_of(name), float(value), epoch + 1)
        for name, value in self.numbers(self.model).items():
            logs[f"val_{name}"] = value
            self.writer.add_scalar(f"validation/{name}", float(value), epoch + 1)
        self.writer.flush()


def trained(run: Run, settings, batches: Made, build, numbers, title: str, unit: str) -> keras.Model:
    """The model of a run after the epochs that it lacks; each is logged and saved in the run's folder.

    Args:
        run, settings: of one kind; epochs and batch_size are among the settings.
        batches: those of the first step on.
        build: gives the model that a new run begins with, compiled.
        numbers: as of `Look`.
        title: of what is trained, which is printed with where it lies.
        unit: what a batch consists of.

    Raises DimError if the folder holds another run, there is not a whole batch, or the loss diverged. Ctrl-C
    says what is kept.
    """
    with run.alone():
        run.claim(settings)
        if not (steps := batches.steps_per_epoch):
            few = f"the {len(batches.images)} {unit} that training has"
            raise DimError(f"--batch-size {settings.batch_size} is more than {few}; try a smaller one")
        model = run.load() if run.checkpoint.exists() else build()
        done, epochs = int(model.optimizer.iterations) // steps, settings.epochs
        machine = describe_device()
        state = f"{done} of {epochs} epochs done · " if done else ""
        print(printable(f"{title} · {state}{machine} · {run.path}"), flush=True)
        if done < epochs:
            run.write_json(run.machine, {"machine": machine, "date": date.today().isoformat()})
            batches.first, look = done * steps, Look(run, numbers, done)
            watched = [Guard(run, done), look, Progress(batches.batch_size, unit), SaveEachEpoch(run)]
            how = {"steps_per_epoch": steps, "initial_epoch": done, "epochs": epochs, "shuffle": False}
            try:
                with saying_what_is_kept(run):
                    model.fit(batches, callbacks=Callbacks(watched, model, epochs, steps), verbose=0, **how)
            finally:
                look.writer.close()
    return model


@contextmanager
def saying_what_is_kept(run: Run) -> Iterator[None]:
    """Where Ctrl-C ends what happens meanwhile."""
    try:
        yield
    except KeyboardInterrupt:
        kept = run.path if run.checkpoint.exists() else "nothing yet"
        kept = f"interrupted; complete epochs are kept ({kept}); the same command goes on from there"
        print("\n" + printable(kept))
        raise
