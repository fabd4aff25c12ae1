"""Rows of the network: the training step, random views in it, training on real data, encoding."""

from statistics import median

from dim import data
from experiments.benchmark.bench import OURS, Bench
from experiments.benchmark.table import Row

_WITH_RIVAL = "seed", "dim"
_STEPS = 20


def step_rows(bench: Bench, preset: str, precision: str, batch_size: int) -> list[Row]:
    """Images a second through a full training step."""
    sizes = {"batch_size": batch_size, "image_size": bench.options.image_size}
    name, how = f"step: {preset}, {precision}, batch {batch_size}", {"preset": preset, "precision": precision}
    return [bench.against_limit(name, batch_size, "step", preset in _WITH_RIVAL, **how, **sizes)]


def augmentation_rows(bench: Bench, batch_size: int) -> list[Row]:
    """What random views cost, alone and of the step of `dim`, which takes two of each image."""
    arguments = {"batch_size": batch_size, "image_size": bench.options.image_size}
    precision = bench.device()["precision"]
    runs, _ = bench.prepare(OURS, "views", preset="dim", precision=precision, **arguments)
    rival, rival_name = bench.fastest("views", **arguments)
    rates = bench.rates(batch_size, ours=runs["views"], step=runs["step"], rival=rival)
    share = 2 * median(rates["step"]) / median(rates["ours"])
    note = f"two views of each image are {share:.1%} of the step of dim, {precision}"
    return [Row.of_rates(f"augmentation: batch {batch_size}", "views/s", rates, rival_name, note=note)]


def feed_rows(bench: Bench, batch_size: int) -> list[Row]:
    """`fit` of the preset `seed` from the memory map; a ratio of 1 means that feeding costs nothing."""
    sizes = {"batch_size": batch_size, "image_size": bench.options.image_size, "steps": _STEPS}
    where = bench.options.data or data.default()
    runs, facts = bench.prepare(OURS, "feed", preset="seed", where=where, **sizes)
    made = facts["batch size"]
    rates = bench.rates(_STEPS * made, ours=runs["memory map"], rival=runs["one batch"])
    name = f"feed: fit, seed, {facts['images']:,} images, batch {batch_size}"
    name += f" (only {made} there)" if made != batch_size else ""
    note = bench.device()["precision"]
    return [Row.of_rates(name, "images/s", rates, "one batch, repeated", note=note)]


def encode_rows(bench: Bench) -> list[Row]:
    """Codes of a data set in memory."""
    count, precision = (1000 if bench.quick else 10_000), bench.device()["precision"]
    sizes = {"count": count, "batch_size": 250, "image_size": bench.options.image_size}
    name = f"encode: {count:,} images, {precision}"
    return [bench.against_limit(name, count, "encode", precision=precision, **sizes)]
