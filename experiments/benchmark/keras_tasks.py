"""Our side: the tasks of the process that runs Keras on the backend of KERAS_BACKEND."""

from dataclasses import replace
from functools import partial
from itertools import repeat
from time import perf_counter

import keras
import numpy as np
from keras import ops

from dim import data
from dim.data.batches import Batches
from dim.device import best_precision, describe_device, gpu
from dim.encoders.embedding import embed
from dim.methods.build import build_model
from dim.presets import PRESETS
from experiments.benchmark import operations


def describe():
    return {}, {"device": describe_device(), "precision": best_precision()}


def matrix_rate(precision: str, seconds: float):
    """Operations a second in a product of square matrices, the best size of a few."""
    dtype = "bfloat16" if precision == "mixed_bfloat16" else "float32"
    sizes = (1024, 2048) if gpu() is None else (4096, 8192, 16384)
    best = 0.0
    for size in sizes:
        a, b = (ops.cast(keras.random.normal((size, size), seed=seed), dtype) for seed in (0, 1))
        best = max(best, 2 * size**3 * _rate(partial(ops.matmul, a, b), seconds / len(sizes)))
    return {}, {"rate": best}


def _rate(function, seconds):
    """Calls a second in the best of three blocks."""
    block = _blocks(function)

    def timed(times):
        started = perf_counter()
        block(times)
        return perf_counter() - started

    timed(2)
    times = max(1, round(seconds / 3 / max(timed(1), 1e-6)))
    return times / min(timed(times) for _ in range(3))


def step(preset: str, precision: str, batch_size: int, image_size: int):
    """Full training steps on one batch that lies on the device."""
    model = _model(preset, precision, batch_size, image_size)
    images = _images(batch_size, image_size)
    counted = operations.of_training_step(model, images)
    return {"step": _steps(model, images)}, {"operations": counted / batch_size}


def views(preset: str, precision: str, batch_size: int, image_size: int):
    """Random views of a batch alone, one of each image, and the whole step."""
    model = _model(preset, precision, batch_size, image_size)
    images = _images(batch_size, image_size)
    return {"views": _blocks(_compiled(model.augmentation, images)), "step": _steps(model, images)}, {}


def feed(preset: str, batch_size: int, image_size: int, where: str, steps: int):
    """`fit` for some steps from the memory map through `Batches`, and from one batch that is repeated."""
    images = data.load(where, image_size).train.images
    batch_size = min(batch_size, len(images))
    model = _model(preset, "auto", batch_size, image_size)

    def fit(make_batches):
        return lambda times: model.fit(
            make_batches(), steps_per_epoch=times * steps, shuffle=False, verbose=0
        )

    runs = {
        "memory map": fit(lambda: Batches(images, batch_size, seed=0)),
        "one batch": fit(partial(_endless, np.asarray(images[:batch_size]))),
    }
    return runs, {"images": len(images), "batch size": batch_size}


def encode(precision: str, count: int, batch_size: int, image_size: int):
    """`embed` of a data set in memory."""
    encoder = _model("dim", precision, 2, image_size).encoder
    images = _images(count, image_size)
    counted = operations.of_encoding(encoder, images[:batch_size])

    def block(times):
        for _ in range(times):
            embed(encoder, images, batch_size)

    return {"encode": block}, {"operations": counted / min(batch_size, count)}


def forget():
    keras.backend.clear_session()


def _model(preset, precision, batch_size, image_size):
    sizes = {"precision": precision, "batch_size": batch_size, "image_size": image_size}
    return build_model(replace(PRESETS[preset](), **sizes))


def _images(count, size):
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), "uint8")


def _blocks(function):
    """Calls a function a number of times, and lets the device finish what the last call returned."""

    def block(times):
        for _ in range(times):
            result = function()
        ops.convert_to_numpy(ops.ravel(result)[:1])

    return block


def _steps(model, images):
    """Makes training steps as `fit` does."""
    model.make_train_function()
    if keras.backend.backend() == "jax":
        return _blocks(_jax_step(model, images))
    if keras.backend.backend() == "torch":
        batches = [(ops.convert_to_tensor(images),)]
        return _blocks(lambda: model.train_function(batches)["loss"])
    batches = iter(_endless(images))
    return _blocks(lambda: model.train_function(batches)["loss"])


def _jax_step(model, images):
    kinds = "trainable", "non_trainable", "optimizer", "metrics"
    state = model._get_jax_state(**{f"{kind}_variables": True for kind in kinds}, purge_model_variables=True)
    batches = _endless(images)

    def step():
        nonlocal state
        logs, state = model.train_function(state, batches)
        return logs["loss"]

    return step


def _compiled(layer, images):
    """Calls a layer with a random state on a batch, compiled where the backend compiles."""
    images = ops.convert_to_tensor(images)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return partial(tf.function(layer, autograph=False), images)
    if keras.backend.backend() == "torch":
        return partial(layer, images)
    import jax

    call = jax.jit(layer.stateless_call)
    state = [variable.value for variable in layer.non_trainable_variables]

    def draw():
        nonlocal state
        views, state = call([], state, images)
        return views

    return draw


def _endless(batch):
    """The same batch for ever, in the form that costs the backend least."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.data.Dataset.from_tensors((batch,)).repeat()
    return _generated((ops.convert_to_tensor(batch),))


def _generated(batch):
    """A generator, which is what Keras takes."""
    yield from repeat(batch)


TASKS = {
    "describe": describe,
    "matrix rate": matrix_rate,
    "step": step,
    "views": views,
    "feed": feed,
    "encode": encode,
    "forget": forget,
}
