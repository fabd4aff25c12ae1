"""Our side, in Keras on the backend of KERAS_BACKEND: what a process can be asked to prepare."""

from dataclasses import replace
from functools import partial
from itertools import repeat

import keras
import numpy as np
from keras import ops

from dim import data
from dim.data.batches import Batches
from dim.device import best_precision, describe_device, gpu, processor
from dim.export.onnx_codes import to_codes
from dim.memory import keep_freed
from dim.methods.build import build_model
from dim.presets import PRESETS
from experiments.benchmark import operations


def describe():
    precision = best_precision()
    return {}, {"processor": processor(), "device": describe_device(), "precision": precision}


def products(precision: str):
    """Products of square matrices, by their size."""
    dtype = "bfloat16" if precision == "mixed_bfloat16" else "float32"
    runs = {}
    for size in (1024, 2048) if gpu() is None else (4096, 8192, 16384):
        a, b = (ops.cast(keras.random.normal((size, size), seed=seed), dtype) for seed in (0, 1))
        runs[str(size)] = partial(ops.matmul, a, b)
    return runs, {}


def step(preset: str, precision: str, batch_size: int, image_size: int):
    """Full training steps on one batch that lies on the device."""
    keep_freed()  # as training does
    model, images = _model(preset, precision, batch_size, image_size), _images(batch_size, image_size)
    counted = operations.of_training_step(model, images)
    return {"step": _steps(model, images)}, {"operations": counted / batch_size}


def views(preset: str, precision: str, batch_size: int, image_size: int):
    """Random views of a batch alone, one of each image, and the whole step."""
    model, images = _model(preset, precision, batch_size, image_size), _images(batch_size, image_size)
    return {"views": _compiled(model.augmentation, images), "step": _steps(model, images)}, {}


def feed(preset: str, batch_size: int, image_size: int, where: str, steps: int):
    """`fit` for some steps from the memory map through `Batches`, and from one batch that is repeated."""
    images = data.load(where, image_size).train.images
    batch_size = min(batch_size, len(images))
    model, batch = _model(preset, "auto", batch_size, image_size), np.asarray(images[:batch_size])
    fit = partial(model.fit, steps_per_epoch=steps, shuffle=False, verbose=0)
    from_map, repeated = lambda: fit(Batches(images, batch_size, seed=0)), lambda: fit(_endless(batch))
    facts = {"images": len(images), "batch size": batch_size}
    return {"memory map": from_map, "one batch": repeated}, facts


def encode(precision: str, count: int, batch_size: int, image_size: int):
    """Codes of a data set in memory, as an index makes them."""
    encoder, images = _model("dim", precision, 2, image_size).encoder, _images(count, image_size)
    counted, codes_of = operations.of_encoding(encoder, images[:batch_size]), to_codes(encoder, image_size)

    def encode():
        return np.concatenate([codes_of(images[i : i + batch_size]) for i in range(0, count, batch_size)])

    return {"encode": encode}, {"operations": counted / batch_size}


def wait(result):
    """Until the device has finished what a run returned."""
    if ops.is_tensor(result):
        ops.convert_to_numpy(ops.ravel(result)[:1])


def forget():
    keras.backend.clear_session()


def _model(preset, precision, batch_size, image_size):
    sizes = {"precision": precision, "batch_size": batch_size, "image_size": image_size}
    return build_model(replace(PRESETS[preset](), **sizes))


def _images(count, size):
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), "uint8")


def _steps(model, images):
    """Makes one training step as `fit` does, and returns its loss."""
    model.make_train_function()
    batches = iter(_endless(images))
    if keras.backend.backend() != "jax":
        batches = [next(batches)] if keras.backend.backend() == "torch" else batches
        return lambda: model.train_function(batches)["loss"]
    state = operations.jax_state(model, purge_model_variables=True)

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

    call, state = jax.jit(layer.stateless_call), [v.value for v in layer.non_trainable_variables]

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
    return (each for each in repeat((ops.convert_to_tensor(batch),)))  # Keras takes nothing but a generator
