"""The one way to train, from a notebook and from the command line."""

from contextlib import nullcontext
from dataclasses import asdict, replace
from datetime import date
from os import PathLike

import numpy as np

from dim.backend import import_keras
from dim.configuration import Configuration
from dim.data import PHOTO_PATCHES, Dataset, default, load_of
from dim.data.arrays import of_arrays
from dim.errors import DimError
from dim.files import replace as replace_file
from dim.memory import keep_freed
from dim.names import printable
from dim.training.hosts import Hosts, together, version
from dim.training.run import Run

Data = str | PathLike | Dataset | np.ndarray | tuple[np.ndarray, np.ndarray] | None


def train(
    configuration: Configuration | None = None,
    data: Data = None,
    run: str | PathLike = "",
    *,
    devices: int = 0,
    hosts: str = "",
    host: int | None = None,
) -> Run | None:
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
        devices: how many of this host's share the work, on JAX; 0 takes all.
        hosts, host: addresses of the hosts that train together, and the number of this one; without them,
            what Slurm, Kubernetes or a TPU pod say. Host 0 alone writes the run.

    Returns the run: `load()` gives the model, `read_json(results)` the accuracies; None on other hosts than
    the first. Raises DimError if the data, the configuration or the folder cannot be used, the loss diverged,
    or devices or hosts are not there. Where a process on another host ends, this one does.
    """
    configuration = configuration or Configuration()
    with together(hosts, host) as team:
        dataset = _opened(configuration, data)
        by_default = data is None and not configuration.data
        where = {"data": dataset.where or dataset.name, "image_size": dataset.image_size}
        configuration = replace(configuration, **where)
        _check(configuration, dataset)
        run = Run(run or f"{dataset.name}-{configuration.preset}")
        with run.alone() if team.leads else nullcontext():
            import_keras()
            _train(configuration, dataset, run, by_default, team, devices)
        return run if team.leads else None


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


def _train(
    configuration: Configuration, dataset: Dataset, run: Run, by_default: bool, team: Hosts, wanted: int
) -> None:
    from dim.device import best_precision, describe_device
    from dim.encoders import in_plain_keras
    from dim.training.devices import Devices
    from dim.training.summary import summarise

    # Of some classes all images may have been held out.
    classes = len(np.unique(dataset.train.labels)) if dataset.labelled else 0
    devices = Devices(wanted, team)
    devices.check_batch(configuration, classes)
    # Of the data the content counts, wherever it lies.
    settings = {**asdict(configuration), "data": dataset.fingerprint, "devices": devices.of_each}
    team.agree(**settings, version=version() if team.count > 1 else "")
    if configuration.precision == "auto":
        precision = run.configuration().precision if team.leads and run.has_learned else best_precision()
        configuration = replace(configuration, precision=team.exchange(precision)[0])
    if not team.leads:
        print(f"{team.named(team.process)} trains; {team.named(0)} writes the run, and says more", flush=True)
        _go_on(configuration, dataset, run, classes, devices)
        return

    run.claim(configuration, dataset)
    machine = f"{describe_device()}{devices}, {configuration.precision}"
    setting = f"preset {configuration.preset} · {machine} · {run.path}"
    print(printable(f"{dataset} · {setting}"), flush=True)
    if by_default and dataset.name == PHOTO_PATCHES:
        print("(Tiny-ImageNet is not here; `make data` downloads it, 248 MB. Any folder: make train DATA=…)")
    if devices.unused:
        print(f"({devices.unused} more devices are here; KERAS_BACKEND=jax trains on all of them)")
    model = _go_on(configuration, dataset, run, classes, devices, machine)
    replace_file(run.encoder, in_plain_keras(model.encoder).save)
    summarise(run, model, dataset, configuration)


def _go_on(c: Configuration, dataset: Dataset, run: Run, classes: int, devices, machine: str = ""):
    """The model after the epochs that are missing, on one device of process 0; None in other processes."""
    from dim.methods.build import build_model
    from dim.training.start import start_from

    steps = len(dataset.train) // c.images_per_step(classes)
    sizes = {"steps_per_epoch": steps, "classes": len(dataset.class_names)}

    def begun():
        if run.checkpoint.exists():
            return run.load()
        model = build_model(c, **sizes)
        if c.init:
            start_from(Run.chosen(c.init), model.encoder)
        return model

    model = devices.model(begun)
    done = int(model.optimizer.iterations) // steps
    leads = devices.hosts.leads
    if leads and 0 < done < c.epochs:
        print(f"going on after epoch {done} of {c.epochs}")
    elif leads and done:
        more = f"; to go on: EPOCHS={2 * done}" if c.schedule == "constant" else ""
        print(f"complete after {done} epochs{more}")
    if done < c.epochs:
        if leads:
            run.write_json(run.machine, {"machine": machine, "date": date.today().isoformat()})
        with devices.at_work():
            _fit(model, c, dataset, run, classes, steps, done, devices)
    if not leads:
        return None
    return model if devices.distribution is None else run.load()


def _fit(model, c: Configuration, dataset: Dataset, run: Run, classes: int, steps: int, done: int, devices):
    """The epochs that are missing."""
    from dim.training.callbacks import Apart, Callbacks, Guard, Meet, Progress, SaveEachEpoch
    from dim.training.loop import saying_what_is_kept
    from dim.training.monitor import Monitor

    watched, monitor = [], None
    if devices.hosts.leads:
        monitor = Monitor(run, dataset, done)
        looks = monitor if devices.distribution is None else Apart(monitor)
        watched = [Guard(run, done), looks, Progress(c.images_per_step(classes)), SaveEachEpoch(run)]
    how = {"steps_per_epoch": steps, "initial_epoch": done, "epochs": c.epochs, "shuffle": False}
    try:
        callbacks = Callbacks([*watched, Meet(devices.hosts)], model, c.epochs, steps)
        batches = _batches(c, dataset, classes, done * steps, devices)
        keep_freed()
        with saying_what_is_kept(run):
            model.fit(batches, callbacks=callbacks, verbose=0, **how)
    finally:
        if monitor is not None:
            monitor.writer.close()


def _batches(c: Configuration, dataset: Dataset, classes: int, first: int, devices):
    from dim.data.batches import Batches
    from dim.data.class_batches import ClassBatches

    images, labels = dataset.train.images, dataset.train.labels
    part = devices.part(c.images_per_step(classes))
    if c.method == "metric":
        return ClassBatches(images, labels, *c.classes_and_images(classes), c.seed, first, part)
    return Batches(images, c.batch_size, c.seed, first, labels if c.needs_labels else None, part)
