"""Rows of training on real data against training on one batch, and of encoding."""

from collections.abc import Iterator
from functools import partial

from dim import data
from experiments.benchmark.bench import Bench
from experiments.benchmark.compare import alternate
from experiments.benchmark.steps import cost
from experiments.benchmark.table import Row

STEPS = 10


def feed_rows(bench: Bench) -> Iterator:
    """`fit` of the preset `seed` from the memory map; a ratio of 1 means that feeding costs nothing."""
    for batch_size in bench.options.batch_sizes:
        name = f"feed: fit, seed, {{}}, batch {batch_size}"
        yield name.format("memory map"), partial(_feed, bench, name, batch_size)


def _feed(bench, name, batch_size) -> list[Row]:
    where = bench.options.data or data.default()
    runs, facts = bench.ours().prepare(
        "feed",
        preset="seed",
        batch_size=batch_size,
        image_size=bench.options.image_size,
        where=where,
        steps=STEPS,
    )
    amount = STEPS * facts["batch size"]
    sides = {"ours": (runs["memory map"], amount), "rival": (runs["one batch"], amount)}
    rates = alternate(sides, bench.rounds, bench.seconds)
    name = name.format(f"{facts['images']:,} images")
    if facts["batch size"] != batch_size:
        name += f" (only {facts['batch size']} there)"
    return [Row.of_rates(name, "images/s", rates, "one batch, repeated", note=bench.precision())]


def encode_rows(bench: Bench) -> Iterator:
    """Codes of a data set in memory."""
    yield "encode", partial(_encode, bench)


def _encode(bench) -> list[Row]:
    count, batch_size = (1000 if bench.quick else 10_000), 250
    arguments = {"precision": bench.precision(), "count": count, "batch_size": batch_size}
    arguments["image_size"] = bench.options.image_size
    rate = bench.matrix_rate(bench.precision())
    runs, facts = bench.ours().prepare("encode", **arguments)
    rival, rival_name = bench.fastest("encode", **arguments)
    sides = {"ours": (runs["encode"], count)}
    if rival:
        sides["rival"] = rival, count
    rates = alternate(sides, bench.rounds, bench.seconds)
    name = f"encode: {count:,} images, {bench.precision()}"
    limit = rate / facts["operations"]
    return [Row.of_rates(name, "images/s", rates, rival_name, limit=limit, note=cost(facts, rate))]
