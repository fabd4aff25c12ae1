"""Trains Deep InfoMax on images without labels.

Starting the same run again goes on after its last complete epoch. Validation labels, where there are
any, are only looked at to say how good the codes are.
"""

import shlex
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import numpy as np

from dim import data
from dim.configuration import Configuration
from dim.errors import DimError
from dim.evaluation import PIXELS, UNTRAINED
from dim.files import typed_path
from dim.names import printable
from dim.training.run import Run
from experiments import command_line

_PIXEL_QUERIES = 1000
_WIDTH = 17  # of the longest name in the table


@dataclass(frozen=True)
class Options:
    """Options of `train`."""

    configuration: Configuration
    """Defaults are those of the preset."""
    run: str = ""
    """Name of the folder in runs/ (or a path); by default made of data set and preset."""


def train(options: Options) -> None:
    """Starts a run, goes on with it, or finds it complete; then says how good the codes are.

    Raises:
        DimError: the data, the configuration or the run folder cannot be used, or the loss diverged.
    """
    configuration, dataset = _with_data(options.configuration)
    run = Run(options.run or f"{dataset.name}-{configuration.preset}")
    with run.alone():
        _train(configuration, dataset, run, asked_for_data=bool(options.configuration.data))


def _train(configuration: Configuration, dataset: data.Dataset, run: Run, asked_for_data: bool) -> None:
    command_line.import_keras()

    from dim.device import best_precision, describe_device
    from dim.encoders import in_plain_keras
    from dim.methods.build import build_model
    from dim.training.callbacks import Callbacks, Guard, Progress, SaveEachEpoch
    from dim.training.monitor import Monitor

    if configuration.precision == "auto":
        precision = run.configuration().precision if run.has_learned else best_precision()
        configuration = replace(configuration, precision=precision)
    run.claim(configuration, dataset)
    machine = f"{describe_device()}, {configuration.precision}"
    setting = f"preset {configuration.preset} · {machine} · {run.path}"
    print(printable(f"{dataset} · {setting}"), flush=True)
    if dataset.name == data.PHOTO_PATCHES and not asked_for_data:
        print("(Tiny-ImageNet is not here; `make data` downloads it, 248 MB. Any folder: make train DATA=…)")

    images_per_step = configuration.images_per_step(_classes(dataset))
    steps = len(dataset.train) // images_per_step
    sizes = {"steps_per_epoch": steps, "classes": len(dataset.class_names)}
    model = run.load() if run.checkpoint.exists() else build_model(configuration, **sizes)
    done = int(model.optimizer.iterations) // steps
    if 0 < done < configuration.epochs:
        print(f"going on after epoch {done} of {configuration.epochs}")
    elif done:
        more = f"; to go on: EPOCHS={2 * done}" if configuration.schedule == "constant" else ""
        print(f"complete after {done} epochs{more}")
    try:
        if done < configuration.epochs:
            run.write_json(run.machine, {"machine": machine, "date": date.today().isoformat()})
            model.fit(
                _batches(configuration, dataset, first=done * steps),
                steps_per_epoch=steps,
                initial_epoch=done,
                epochs=configuration.epochs,
                shuffle=False,
                verbose=0,
                callbacks=Callbacks(
                    [
                        Guard(run, done),
                        Monitor(run, dataset, done),
                        Progress(images_per_step),
                        SaveEachEpoch(run),
                    ],
                    model,
                    configuration.epochs,
                    steps,
                ),
            )
    except KeyboardInterrupt:
        kept = run.path if run.checkpoint.exists() else "nothing yet"
        kept = f"interrupted; complete epochs are kept ({kept}); the same command goes on from there"
        print("\n" + printable(kept))
        raise
    run.save_encoder(in_plain_keras(model.encoder))
    _report(run, model, dataset, configuration)


def _with_data(configuration: Configuration):
    where = configuration.data or data.default()
    dataset = data.load_of(configuration, where)
    if configuration.batch_size > len(dataset.train):
        raise DimError(
            f"--batch-size {configuration.batch_size} is more than the {len(dataset.train)} training images "
            f"of {dataset.name}; try --batch-size {max(2, len(dataset.train) // 4)}"
        )
    if configuration.needs_labels and not dataset.labelled:
        raise DimError(f"{dataset.name} has no labels, and --method {configuration.method} learns from them")
    where = where if where == data.PHOTO_PATCHES else str(typed_path(where).resolve())
    return replace(configuration, data=where), dataset


def _batches(configuration: Configuration, dataset: data.Dataset, first: int):
    from dim.data.batches import Batches
    from dim.data.class_batches import ClassBatches

    images, labels, seed = dataset.train.images, dataset.train.labels, configuration.seed
    if configuration.method == "metric":
        shape = configuration.classes_and_images(_classes(dataset))
        return ClassBatches(images, labels, *shape, seed, first)
    return Batches(
        images, configuration.batch_size, seed, first, labels if configuration.needs_labels else None
    )


def _classes(dataset: data.Dataset) -> int:
    """Of which there are training images; others may have been held out to the last."""
    return len(np.unique(dataset.train.labels)) if dataset.labelled else 0


def _report(run: Run, model, dataset: data.Dataset, configuration: Configuration) -> None:
    """Prints and saves the accuracy of the codes beside the baselines, and what to type next."""
    from tqdm import tqdm

    from dim.encoders.embedding import embed
    from dim.evaluation.baselines import untrained_encoder
    from dim.evaluation.features import pixels
    from dim.evaluation.knn import K, knn_accuracies

    if dataset.labelled:
        k = min(K, len(dataset.train))
        features = {
            PIXELS: lambda: pixels,
            UNTRAINED: lambda: partial(embed, untrained_encoder(configuration, dataset.train.images)),
            "code": lambda: partial(embed, model.encoder),
        }
        asked = {PIXELS: _sample(dataset)}
        accuracies = {}
        with tqdm(features.items(), delay=10, leave=False, dynamic_ncols=True) as progress:
            for name, vectors_of in progress:
                progress.set_description(f"neighbours by {name}", refresh=False)
                vectors, images = vectors_of(), asked.get(name, dataset)
                train, val = vectors(images.train.images), vectors(images.val.images)
                accuracies[name] = knn_accuracies(train, val, images, k)
        print(f"\nvalidation accuracy of {k}-NN (majority vote of {len(dataset.train):,} training images)")
        print(f"{'':{_WIDTH}}  cosine      L2")
        for name, accuracy in accuracies.items():
            print(f"{name:{_WIDTH}}  {accuracy['cosine']:6.1%}  {accuracy['l2']:6.1%}")
        if len(asked[PIXELS].val) < len(dataset.val):
            print(f"({PIXELS}: a sample of {_PIXEL_QUERIES:,} validation images)")
        run.write_json(run.results, {"k": k, "accuracy": accuracies})
    after = f"make knn RUN={shlex.quote(run.name)}    make tensorboard    everything is in {run.path}/"
    print("\nnext: " + printable(after))


def _sample(dataset: data.Dataset) -> data.Dataset:
    """With fewer validation images, where there are many: pixels are long, and the others are not."""
    rows = np.sort(np.random.default_rng(0).permutation(len(dataset.val))[:_PIXEL_QUERIES])
    val = dataset.val
    few = data.Split(val.images[rows], val.labels[rows], [val.names[i] for i in rows])
    return replace(dataset, val=few)


if __name__ == "__main__":
    command_line.run(train, Options, __doc__)
