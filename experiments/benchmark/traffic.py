"""What the devices that share a training step send each other, and the memory of each, by the compiled step.

On JAX: of a machine's processors as many devices are made as are wanted, the step is compiled for them and
its program read. Nothing is trained, no time is measured, no data are needed.
"""

import os
import re
from dataclasses import dataclass
from math import prod
from typing import Literal

from dim.errors import DimError
from dim.presets import PRESETS
from experiments import command_line, tables

_SENT = {
    "all-reduce": lambda n, size: 2 * (n - 1) / n * size,
    "all-gather": lambda n, size: (n - 1) / n * size,
    "reduce-scatter": lambda n, size: (n - 1) * size,
    "all-to-all": lambda n, size: (n - 1) / n * size,
    "collective-permute": lambda n, size: size,
}
_OPERATION = re.compile(rf"= (.*?) ({'|'.join(_SENT)})(?:-start)?\(")
_ARRAY = re.compile(r"([a-z]+)(\d*)\[([\d,]*)\]")
_CLASSES = 20


@dataclass(frozen=True)
class Options:
    """Options of `traffic`."""

    presets: tuple[Literal[tuple(PRESETS)], ...] = ("dim", "two-view")
    """What is trained."""
    batch_sizes: tuple[int, ...] = (512, 2048)
    """Images of a step, over all devices."""
    devices: int = 8
    """That share a step."""
    image_size: int = 64
    """Side of the images in pixels."""
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """In which the step computes."""


def traffic(options: Options) -> None:
    """Prints a row for each preset and size of batch."""
    n = options.devices
    if n < 2 or any(size % n for size in options.batch_sizes):
        raise DimError("--devices must be 2 or more, and share each of --batch-sizes equally")
    flags = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    os.environ["XLA_FLAGS"] = f"{flags} --xla_force_host_platform_device_count={n}"
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    command_line.import_keras()
    import keras

    if keras.backend.backend() != "jax":
        raise DimError("several devices share a step on JAX alone; set KERAS_BACKEND=jax")
    titles = ["preset", "batch", *_SENT, "sent by each", "gradients", "memory of each"]
    print(f"{n} devices, images of {options.image_size} pixels, {options.precision}; MB\n", flush=True)
    rows = []
    for preset in options.presets:
        for size in options.batch_sizes:
            left, gradients, memory = _step(preset, size, options)
            cells = [*(left.get(name, 0) for name in _SENT), sent_by_each(n, left), gradients, memory]
            rows.append([preset, f"{size:,}", *(f"{cell / 1e6:,.1f}" for cell in cells)])
    print(tables.markdown(titles, rows), end="")


def _step(preset: str, batch_size: int, options: Options) -> tuple[dict[str, int], int, int]:
    """Bytes that each kind of operation leaves on a device; those of all gradients; those of memory."""
    from dataclasses import replace

    import jax
    import keras
    import numpy as np

    from dim.methods.build import build_model
    from dim.training.devices import Devices
    from dim.training.hosts import Hosts

    sizes = {"batch_size": batch_size, "image_size": options.image_size, "precision": options.precision}
    c, devices = replace(PRESETS[preset](), **sizes), Devices(options.devices, Hosts())
    model = devices.model(lambda: build_model(c, steps_per_epoch=1, classes=_CLASSES))
    with devices.at_work():
        count = c.images_per_step(_CLASSES)
        batch = [np.zeros((count, c.image_size, c.image_size, 3), "uint8")]
        batch += [np.zeros(count, "int32")] * c.needs_labels
        layout = keras.distribution.distribution().get_data_layout
        data = tuple(keras.distribution.distribute_tensor(x, layout(x.shape)) for x in batch)
        parts = model.trainable_variables, model.non_trainable_variables
        parts += model.optimizer.variables, model.metrics_variables
        state = tuple([variable.value for variable in part] for part in parts)
        compiled = jax.jit(model.train_step, donate_argnums=0).lower(state, data).compile()
    gradients = sum(4 * prod(v.shape) for v in model.trainable_variables)
    memory = compiled.memory_analysis()
    needed = memory.temp_size_in_bytes + memory.argument_size_in_bytes
    return left_by_operation(compiled.as_text()), gradients, needed


def sent_by_each(n: int, left: dict[str, int]) -> float:
    """Bytes that each of n devices sends in a ring, of what kinds of operations leave on it."""
    return sum(_SENT[name](n, size) for name, size in left.items())


def left_by_operation(program: str) -> dict[str, int]:
    """Kind of operation → bytes that it leaves on each device, summed over a program of XLA as text."""
    left: dict[str, int] = {}
    for shapes, name in _OPERATION.findall(program):
        arrays = _ARRAY.findall(re.sub(r"\{.*?\}", "", shapes))
        lengths = [prod(map(int, filter(None, dims.split(",")))) for _, _, dims in arrays]
        each = (length * _bytes(kind, bits) for length, (kind, bits, _) in zip(lengths, arrays, strict=True))
        left[name] = left.get(name, 0) + sum(each)
    return left


def _bytes(kind: str, bits: str) -> int:
    return 1 if kind == "pred" else int(bits) // 8


if __name__ == "__main__":
    command_line.run(traffic, Options, __doc__)
