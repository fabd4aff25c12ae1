"""Our side: the tasks of the process that runs Keras on the backend of KERAS_BACKEND."""

import tempfile
import time
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import keras
import numpy as np
from keras import ops

from dim import data
from dim.data.batches import Batches
from dim.device import best_precision, describe_device, gpu
from dim.encoders.embedding import embed
from dim.evaluation.knn import K, knn_accuracies
from dim.methods.build import build_model
from dim.presets import PRESETS
from experiments.benchmark import operations


def describe():
    return {}, {"device": describe_device(), "precision": best_precision()}


def matrix_rate(precision: str, seconds: float):
    """Operations a second in a product of square matrices, the best size of a few."""
    dtype = "bfloat16" if precision == "mixed_bfloat16" else "float32"
    sizes = (1024, 2048) if _on_cpu() else (4096, 8192, 16384)
    best = 0.0
    for size in sizes:
        a, b = (ops.cast(keras.random.normal((size, size), seed=seed), dtype) for seed in (0, 1))
        best = max(best, 2 * size**3 * _rate(lambda a=a, b=b: ops.matmul(a, b), seconds / len(sizes)))
    return {}, {"rate": best}


def copy_rate(seconds: float):
    """Bytes a second, those read and those written."""
    if _on_cpu():
        return {}, {"rate": _copy_rate_of_cpu(seconds)}
    x = ops.zeros((2**28,), "float32")
    return {}, {"rate": 2 * 2**30 * _rate(lambda: x + 1, seconds)}


def _copy_rate_of_cpu(seconds):
    from concurrent.futures import ThreadPoolExecutor

    from experiments.benchmark.machine import cores

    parts = [np.ones(2**25 // cores(), "float32") for _ in range(cores())]
    copies = [np.zeros_like(part) for part in parts]
    with ThreadPoolExecutor(cores()) as pool:
        best = 0.0
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            started = time.perf_counter()
            list(pool.map(np.copyto, copies, parts))
            best = max(best, 2 * sum(part.nbytes for part in parts) / (time.perf_counter() - started))
    return best


def _rate(function, seconds):
    """Calls a second in the best of three blocks."""
    block = _blocks(function)

    def timed(times):
        started = time.perf_counter()
        block(times)
        return time.perf_counter() - started

    timed(2)
    times = max(1, round(seconds / 3 / max(timed(1), 1e-6)))
    return times / min(timed(times) for _ in range(3))


def step(preset: str, precision: str, batch_size: int, image_size: int):
    """Full training steps on one batch that lies on the device."""
    model = _model(preset, precision, batch_size, image_size)
    images = _images(batch_size, image_size)
    count = operations.of_training_step(model, images)
    return {"step": _steps(model, images)}, _facts(count, batch_size)


def rewrites(preset: str, precision: str, batch_size: int, image_size: int):
    """The step of the model as one would write it, and with each rewrite, all, and all but each."""
    from experiments.benchmark.plain import REWRITES, plain_model

    model = _model(preset, precision, batch_size, image_size)
    images = _images(batch_size, image_size)
    others = {name: tuple(other for other in REWRITES if other != name) for name in REWRITES}
    variants = {"none": (), "all": REWRITES}
    variants |= {f"{name} alone": (name,) for name in REWRITES}
    variants |= {f"all but {name}": rest for name, rest in others.items()}
    return {name: _steps(plain_model(model, chosen), images) for name, chosen in variants.items()}, {}


def accuracy(preset: str, precision: str, seed: int, epochs: int, image_size: int, where: str, plain: bool):
    """Trains on a data set, with the rewrites or without; the accuracy of the codes by cosine."""
    from experiments.benchmark.plain import plain_model

    dataset = data.load(where, image_size)
    if not dataset.labelled:
        raise ValueError(f"{dataset.name} has no labels")
    train, val = dataset.train, dataset.val
    model = build_model(replace(PRESETS[preset](), precision=precision, seed=seed, image_size=image_size))
    if plain:
        model = plain_model(model)
    batches = Batches(train.images, min(PRESETS[preset]().batch_size, len(train)), seed)
    steps = batches.steps_per_epoch
    model.fit(batches, steps_per_epoch=steps, epochs=epochs, shuffle=False, verbose=0)
    codes = (embed(model.encoder, split.images) for split in (train, val))
    found = knn_accuracies(*codes, dataset, min(K, len(train)))["cosine"]
    return {}, {"accuracy": found, "images": epochs * steps * batches.batch_size}


def profile(preset: str, precision: str, batch_size: int, image_size: int):
    """Milliseconds and operations of a step by kind, on TensorFlow.

    Raises:
        NotImplementedError: on another backend.
    """
    if keras.backend.backend() != "tensorflow":
        raise NotImplementedError("only TensorFlow is profiled")
    from experiments.benchmark.profile import KINDS, kind_of

    model = _model(preset, precision, batch_size, image_size)
    images = _images(batch_size, image_size)
    operations_of = dict.fromkeys(KINDS, 0)
    for operation in operations.training_graph(model, images):
        operations_of[kind_of(operation.name, operation.type)] += operations.count([operation]).operations
    block = _steps(model, images)
    block(3)
    started = time.perf_counter()
    block(_PROFILED)
    wall = 1e3 * (time.perf_counter() - started) / _PROFILED
    milliseconds = dict.fromkeys(KINDS, 0.0)
    for name, kind, duration in _profiled(block, _PROFILED):
        milliseconds[kind_of(name, kind)] += duration
    return {}, {"milliseconds": milliseconds, "operations": operations_of, "wall": wall}


_PROFILED = 5


def _profiled(block, times):
    """Name, type and milliseconds a time of every operation that TensorFlow executes in a block."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            block(times)
        (file,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(file.read_bytes())
    for plane in space.planes:
        for line in plane.lines if "CPU" in plane.name else ():
            for event in line.events:
                name, colon, kind = plane.event_metadata[event.metadata_id].name.rpartition(":")
                if colon and kind.isidentifier() and not name.endswith(":"):
                    yield name, kind, event.duration_ps / 1e9 / times


def views(preset: str, precision: str, batch_size: int, image_size: int):
    """Random views of a batch alone, one of each image, and the whole step."""
    model = _model(preset, precision, batch_size, image_size)
    images = _images(batch_size, image_size)
    return {
        "views": _blocks(_compiled(model.augmentation, images)),
        "step": _steps(model, images),
    }, {}


def feed(preset: str, batch_size: int, image_size: int, where: str, steps: int):
    """`fit` for some steps from the memory map through `Batches`, and from one batch that is repeated.

    `where` is a data set, or an .npy file of images.
    """
    if where.endswith(".npy"):
        images = np.load(where, mmap_mode="r")
    else:
        images = data.load(where, image_size).train.images
    batch_size = min(batch_size, len(images))
    model = _model(preset, "auto", batch_size, image_size)
    batch = np.asarray(images[:batch_size])

    def fit(make_batches):
        def block(times):
            steps_per_epoch = times * steps
            model.fit(make_batches(), steps_per_epoch=steps_per_epoch, shuffle=False, verbose=0)

        return block

    runs = {
        "memory map": fit(lambda: Batches(images, batch_size, seed=0)),
        "one batch": fit(lambda: _endless(batch)),
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

    return {"encode": block}, _facts(counted, min(batch_size, count))


def forget():
    keras.backend.clear_session()


def _model(preset, precision, batch_size, image_size):
    configuration = PRESETS[preset]()
    return build_model(
        replace(configuration, precision=precision, batch_size=batch_size, image_size=image_size)
    )


def _images(count, size):
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), "uint8")


def _facts(count, batch_size):
    multiplied, touched = count
    return {"operations": multiplied / batch_size, "bytes": touched and touched / batch_size}


@cache
def _on_cpu() -> bool:
    return gpu() is None


def _blocks(function):
    """Calls a function a number of times, and lets the device finish what the last call returned."""

    def block(times):
        for _ in range(times):
            result = function()
        ops.convert_to_numpy(ops.ravel(result)[:1])

    return block


def _steps(model, images):
    """Makes training steps as `fit` does."""
    kinds = {"tensorflow": _tensorflow_step, "jax": _jax_step, "torch": _torch_step}
    model.make_train_function()
    return _blocks(kinds[keras.backend.backend()](model, images))


def _tensorflow_step(model, images):
    batches = iter(_endless(images))
    return lambda: model.train_function(batches)["loss"]


def _jax_step(model, images):
    kinds = "trainable", "non_trainable", "optimizer", "metrics"
    state = model._get_jax_state(**{f"{kind}_variables": True for kind in kinds}, purge_model_variables=True)
    batches = _endless(images)

    def step():
        nonlocal state
        logs, state = model.train_function(state, batches)
        return logs["loss"]

    return step


def _torch_step(model, images):
    batches = [(ops.convert_to_tensor(images),)]
    return lambda: model.train_function(batches)["loss"]


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
    return _forever((ops.convert_to_tensor(batch),))


def _forever(batch):
    while True:
        yield batch


TASKS = {
    "describe": describe,
    "matrix rate": matrix_rate,
    "copy rate": copy_rate,
    "step": step,
    "rewrites": rewrites,
    "accuracy": accuracy,
    "profile": profile,
    "views": views,
    "feed": feed,
    "encode": encode,
    "forget": forget,
}
