"""Rows that say where the time of a training step goes, on both sides, kernel by kernel.

TensorFlow runs one operation at a time here, so that the parts add up to the whole; a step as it is trained
runs two at once where it can, and is faster than the sum.
"""

from collections.abc import Iterator
from functools import partial

from experiments.benchmark.bench import OURS, Bench
from experiments.benchmark.child import Child, Failed
from experiments.benchmark.table import Row

KINDS = (
    "convolutions, forward",
    "convolutions, gradients",
    "matrix products",
    "normalisation",
    "pooling",
    "optimiser",
    "random views",
    "all else",
)


def profile_rows(bench: Bench) -> Iterator:
    """Milliseconds of each kind of operation, beside the least that the machine's matrix rate allows."""
    batch_size = bench.options.batch_sizes[0]
    for preset in bench.options.presets:
        name = f"profile: {preset}, {bench.precision()}, batch {batch_size}"
        yield name, partial(_profile, bench, name, preset, batch_size)


def _profile(bench, name, preset, batch_size) -> list[Row]:
    precision = bench.precision()
    arguments = {"preset": preset, "precision": precision, "batch_size": batch_size}
    arguments["image_size"] = bench.options.image_size
    ours = Child(OURS, environment={"TF_NUM_INTEROP_THREADS": "1"})
    try:
        facts = ours.facts("profile", **arguments)
    finally:
        ours.close()
    rival, rival_name = _rival(bench, arguments)
    rate = bench.matrix_rate(precision)
    rows = []
    for kind in KINDS:
        least = 1e3 * facts["operations"][kind] / rate
        rows.append(
            Row(
                what=f"{name}: {kind}",
                unit="ms",
                ours=facts["milliseconds"][kind],
                rival=rival.get(kind),
                rival_name=rival_name,
                limit=least or None,
            )
        )
    whole = sum(facts["milliseconds"].values())
    least = 1e3 * sum(facts["operations"].values()) / rate
    total = sum(rival.values()) if rival else None
    note = f"{facts['wall']:.0f} ms from step to step"
    rows.append(
        Row(
            what=f"{name}: sum",
            unit="ms",
            ours=whole,
            rival=total,
            rival_name=rival_name,
            limit=least,
            note=note,
        )
    )
    return rows


def _rival(bench, arguments) -> tuple[dict, str]:
    if arguments["preset"] not in ("seed", "dim"):
        return {}, "none"
    try:
        return bench.pytorch().facts("profile", **arguments)["milliseconds"], "PyTorch channels-last"
    except Failed as error:
        return {}, str(error)


def kind_of(name: str, operation: str) -> str:
    """The kind of an operation of TensorFlow's graph, by its name and type."""
    if "adam" in name:
        return "optimiser"
    if "random_view" in name:
        return "random views"
    if "Conv2DBackprop" in operation or ("gradient" in name and "conv2d" in name):
        return "convolutions, gradients"
    for part, kind in (
        ("Conv2D", "convolutions, forward"),
        ("MatMul", "matrix products"),
        ("Einsum", "matrix products"),
        ("BatchNorm", "normalisation"),
        ("MaxPool", "pooling"),
    ):
        if part in operation:
            return kind
    return "all else"


def kind_of_torch(operation: str) -> str:
    """The kind of an operation of PyTorch's profile."""
    for part, kind in (
        ("convolution_backward", "convolutions, gradients"),
        ("convolution", "convolutions, forward"),
        ("adam", "optimiser"),
        ("batch_norm", "normalisation"),
        ("max_pool", "pooling"),
        ("grid_sampler", "random views"),
    ):
        if part in operation:
            return kind
    return "matrix products" if operation in _PRODUCTS else "all else"


_PRODUCTS = {f"aten::{name}" for name in ("mm", "addmm", "bmm", "baddbmm", "linear", "matmul")}
