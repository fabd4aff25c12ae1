"""The one way to train, from a notebook and from the command line."""

from dataclasses import replace
from datetime import date
from os import PathLike

import numpy as np

from dim.backend import import_keras
from dim.configuration import Configuration
from dim.data import PHOTO_PATCHES, Dataset, default, load_of
from dim.data.arrays import of_arrays
from dim.errors import DimError
from dim.files import replace as replace_file
from dim.names import printable
from dim.training.run import Run

Data = str | PathLike | Dataset | np.ndarray | tuple[np.ndarray, np.ndarray] | None


def train(configuration: Configuration | None = None, data: Data = None, run: str | PathLike = "") -> Run:
    """Starts a run, goes on with it after its last complete epoch, or finds it complete.

    TensorBoard's events are written meanwhile. Afterwards the run has the encoder alone in `encoder.keras`,
    and where there are labels the accuracy of 20 nearest neighbours beside those of raw pixels and of
    the untrained encoder is printed, and lies in `results.json`.

    Args:
        configuration: of the run; without one, that of the preset `dim`. Its seed becomes Keras' own.
        data: what to learn from; without it, what the configuration names. A name or path as for
            `dim.data.load`; a data set that was opened by it; images [N, S, S, 3] uint8, of which a tenth is
            held out for validation; or a pair of such images and their labels [N]. Images in memory
            decide the configuration's image size. Programs that read the run later ask where they are.
        run: name of a folder in `runs/`, or a path; without one, made of data set and preset.

    Returns the run: `load()` gives the model, `read_json(results)` the accuracies. Raises DimError if the
    data, the configuration or the folder cannot be used, or the loss diverged.
    """
    configuration = configuration or Configuration()
    dataset = _opened(configuration, data)
    by_default = data is None and not configuration.data
    configuration = replace(configuration, data=dataset.where or dataset.name, image_size=dataset.image_size)
    _check(configuration, dataset)
    run = Run(run or f"{dataset.name}-{configuration.preset}")
    with run.alone():
        import_keras()
        _train(configuration, dataset, run, by_default)
    return run


def _opened(configuration: Configuration, data: Data) -> Dataset:
    if data is None or isinstance(data, str | PathLike):
        return load_of(configuration, str(data or configuration.data or default()))
    if configuration.tune:
        raise DimError("--tune holds out images of what is opened by a name or path; give one as data")
    if isinstance(data, Dataset):
        return data
    return of_arrays(*data) if isinstance(data, tuple) else of_arrays(data)


def _check(configuration: Configuration, dataset: Dataset) -> None:
    size, count = configuration.batch_size, len(dataset.train)
    if size > count:
        more = f"is more than the {count} training images of {dataset.name}"
        raise DimError(f"--batch-size {size} {more}; try --batch-size {max(2, count // 4)}")
    if configuration.needs_labels and not dataset.labelled:
        raise DimError(f"{dataset.name} has no labels, and --method {configuration.method} learns from them")


def _train(configuration: Configuration, dataset: Dataset, run: Run, by_default: bool) -> None:
    from dim.device import best_precision, describe_device
    from dim.encoders import in_plain_keras
    from dim.methods.build import build_model
    from dim.training.summary import summarise

    if configuration.precision == "auto":
        precision = run.configuration().precision if run.has_learned else best_precision()
        configuration = replace(configuration, precision=precision)
    run.claim(configuration, dataset)
    machine = f"{describe_device()}, {configuration.precision}"
    setting = f"preset {configuration.preset} · {machine} · {run.path}"
    print(printable(f"{dataset} · {setting}"), flush=True)
    if by_default and dataset.name == PHOTO_PATCHES:
        print("(Tiny-ImageNet is not here; `make data` downloads it, 248 MB. Any folder: make train DATA=…)")

    # Of some classes all images may have been held out.
    classes = len(np.unique(dataset.train.labels)) if dataset.labelled else 0
    steps = len(dataset.train) // configuration.images_per_step(classes)
    sizes = {"steps_per_epoch": steps, "classes": len(dataset.class_names)}
    model = run.load() if run.checkpoint.exists() else build_model(configuration, **sizes)
    done = int(model.optimizer.iterations) // steps
    if 0 < done < configuration.epochs:
        print(f"going on after epoch {done} of {configuration.epochs}")
    elif done:
        more = f"; to go on: EPOCHS={2 * done}" if configuration.schedule == "constant" else ""
        print(f"complete after {done} epochs{more}")
    if done < configuration.epochs:
        run.write_json(run.machine, {"machine": machine, "date": date.today().isoformat()})
        _fit(model, configuration, dataset, run, classes, steps, done)
    replace_file(run.encoder, in_plain_keras(model.encoder).save)
    summarise(run, model, dataset, configuration)


def _fit(model, c: Configuration, dataset: Dataset, run: Run, classes: int, steps: int, done: int) -> None:
    """The epochs that are missing."""
    from dim.training.callbacks import Callbacks, Guard, Progress, SaveEachEpoch
    from dim.training.monitor import Monitor

    guard, monitor = Guard(run, done), Monitor(run, dataset, done)
    watched = [guard, monitor, Progress(c.images_per_step(classes)), SaveEachEpoch(run)]
    how = {"steps_per_epoch": steps, "initial_epoch": done, "epochs": c.epochs, "shuffle": False}
    try:
        callbacks = Callbacks(watched, model, c.epochs, steps)
        model.fit(_batches(c, dataset, classes, done * steps), callbacks=callbacks, verbose=0, **how)
    except KeyboardInterrupt:
        kept = run.path if run.checkpoint.exists() else "nothing yet"
        kept = f"interrupted; complete epochs are kept ({kept}); the same command goes on from there"
        print("\n" + printable(kept))
        raise
    finally:
        monitor.writer.close()


def _batches(c: Configuration, dataset: Dataset, classes: int, first: int):
    from dim.data.batches import Batches
    from dim.data.class_batches import ClassBatches

    images, labels = dataset.train.images, dataset.train.labels
    if c.method == "metric":
        return ClassBatches(images, labels, *c.classes_and_images(classes), c.seed, first)
    return Batches(images, c.batch_size, c.seed, first, labels if c.needs_labels else None)
