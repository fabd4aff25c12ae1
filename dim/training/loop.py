"""The epochs that a run lacks, whatever it learns from."""

import keras

from dim.data.batches import Made
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


def run_epochs(model, run: Run, batches: Made, steps: int, epochs: int, look: Look, unit: str) -> None:
    """Fits a compiled model until it has seen so many epochs; each is logged and saved in the run's folder.

    Batches begin behind the steps that the model has made. Ctrl-C says what is kept.
    """
    done = int(model.optimizer.iterations) // steps
    watched = [Guard(run, done), look, Progress(batches.batch_size, unit), SaveEachEpoch(run)]
    how = {"steps_per_epoch": steps, "initial_epoch": done, "epochs": epochs, "shuffle": False, "verbose": 0}
    try:
        model.fit(batches, callbacks=Callbacks(watched, model, epochs, steps), **how)
    except KeyboardInterrupt:
        kept = run.path if run.checkpoint.exists() else "nothing yet"
        kept = f"interrupted; complete epochs are kept ({kept}); the same command goes on from there"
        print("\n" + printable(kept))
        raise
    finally:
        look.writer.close()
