"""Rows of the network: the training step, random views in it, training on real data, encoding."""

from collections.abc import Iterator
from functools import partial
from statistics import median

from dim import data
from experiments.benchmark.bench import Bench
from experiments.benchmark.table import Row

PRECISIONS = "float32", "mixed_bfloat16"
_WITH_RIVAL = "seed", "dim"
_STEPS = 10


def step_rows(bench: Bench) -> Iterator:
    """Images a second through a full training step."""
    for batch_size in bench.options.batch_sizes:
        for preset in bench.options.presets:
            for precision in PRECISIONS:
                name = f"step: {preset}, {precision}, batch {batch_size}"
                yield name, partial(_step, bench, name, preset, precision, batch_size)


def _step(bench, name, preset, precision, batch_size) -> list[Row]:
    arguments = {"preset": preset, "batch_size": batch_size, "image_size": bench.options.image_size}
    rival = None, "none"
    if preset in _WITH_RIVAL:
        rival = bench.fastest("step", precision=precision, **arguments)
    return [bench.against_limit(name, batch_size, "step", rival, precision, **arguments)]


def augmentation_rows(bench: Bench) -> Iterator:
    """What random views cost, alone and of the step of `dim`, which takes two of each image."""
    for batch_size in bench.options.batch_sizes:
        name = f"augmentation: batch {batch_size}"
        yield name, partial(_augmentation, bench, name, batch_size)


def _augmentation(bench, name, batch_size) -> list[Row]:
    arguments = {"batch_size": batch_size, "image_size": bench.options.image_size}
    runs, _ = bench.ours().prepare("views", preset="dim", precision=bench.precision(), **arguments)
    rival, rival_name = bench.fastest("views", **arguments)
    rates = bench.rates(batch_size, ours=runs["views"], step=runs["step"], rival=rival)
    share = 2 * median(rates["step"]) / median(rates["ours"])
    note = f"two views of each image are {share:.1%} of the step of dim, {bench.precision()}"
    return [Row.of_rates(name, "views/s", rates, rival_name, note=note)]


def feed_rows(bench: Bench) -> Iterator:
    """`fit` of the preset `seed` from the memory map; a ratio of 1 means that feeding costs nothing."""
    for batch_size in bench.options.batch_sizes:
        yield f"feed: fit, seed, memory map, batch {batch_size}", partial(_feed, bench, batch_size)


def _feed(bench, batch_size) -> list[Row]:
    runs, facts = bench.ours().prepare(
        "feed",
        preset="seed",
        batch_size=batch_size,
        image_size=bench.options.image_size,
        where=bench.options.data or data.default(),
        steps=_STEPS,
    )
    made = facts["batch size"]
    rates = bench.rates(_STEPS * made, ours=runs["memory map"], rival=runs["one batch"])
    name = f"feed: fit, seed, {facts['images']:,} images, batch {batch_size}"
    if made != batch_size:
        name += f" (only {made} there)"
    return [Row.of_rates(name, "images/s", rates, "one batch, repeated", note=bench.precision())]


def encode_rows(bench: Bench) -> Iterator:
    """Codes of a data set in memory."""
    yield "encode", partial(_encode, bench)


def _encode(bench) -> list[Row]:
    count, precision = (1000 if bench.quick else 10_000), bench.precision()
    arguments = {"count": count, "batch_size": 250, "image_size": bench.options.image_size}
    rival = bench.fastest("encode", precision=precision, **arguments)
    name = f"encode: {count:,} images, {precision}"
    return [bench.against_limit(name, count, "encode", rival, precision, **arguments)]
