"""The second table: what one more costs when there are many."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from experiments.benchmark.bench import Bench
from experiments.benchmark.compare import alternate
from experiments.benchmark.feed import STEPS
from experiments.benchmark.table import Growth

_BATCHES = 32, 128, 512, 1024
_IMAGES = 1000, 10_000, 100_000
_CODES = 1000, 10_000, 100_000, 1_000_000
_QUERIES = 100


def growth_rows(bench: Bench) -> Iterator:
    """Sizes grow, the cost of one should not."""
    for preset in bench.options.presets:
        sizes = _BATCHES[:2] if bench.quick else _BATCHES
        yield (
            f"growth: step, {preset}",
            partial(_each, f"step of {preset}, batch", sizes, partial(_step, bench, preset)),
        )
    sizes = _IMAGES[:2] if bench.quick else _IMAGES
    yield "growth: feed", partial(_each, "feed: fit of seed, images", sizes, partial(_feed, bench))
    sizes = _CODES[:3] if bench.quick else _CODES
    yield (
        "growth: search",
        partial(_each, f"search: {_QUERIES} queries, codes", sizes, partial(_search, bench)),
    )


def _each(what, sizes, measure) -> list[Growth]:
    rows, first = [], None
    for size in sizes:
        cost, unit, note = measure(size)
        first = first or cost
        rows.append(Growth(what=what, size=size, unit=unit, cost=cost, relative=cost / first, note=note))
    return rows


def _step(bench, preset, batch_size):
    arguments = {"preset": preset, "precision": bench.precision(), "batch_size": batch_size}
    runs, facts = bench.ours().prepare("step", image_size=bench.options.image_size, **arguments)
    rates = alternate({"ours": (runs["step"], batch_size)}, 3, bench.seconds)
    bench.forget()
    note = f"{bench.precision()}, {facts['operations'] / 1e9:.3g} GFLOP an image"
    return 1e6 / median(rates["ours"]), "µs an image", note


def _feed(bench, count):
    """The cost of feeding alone would drown in the step's, so that the note has the ratio to one batch."""
    size = bench.options.image_size
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "images.npy"
        _write_images(file, count, size)
        arguments = {"preset": "seed", "batch_size": 100, "image_size": size, "where": str(file)}
        runs, _ = bench.ours().prepare("feed", steps=STEPS, **arguments)
        amount = STEPS * 100
        sides = {"ours": (runs["memory map"], amount), "one": (runs["one batch"], amount)}
        rates = alternate(sides, 3, bench.seconds)
        bench.forget()
    ours, one = median(rates["ours"]), median(rates["one"])
    return 1e6 / ours, "µs an image", f"{ours / one:.3f} of the speed on one batch"


def _write_images(file: Path, count: int, size: int) -> None:
    import numpy as np

    images = np.lib.format.open_memmap(file, "w+", "uint8", (count, size, size, 3))
    block = np.random.default_rng(0).integers(0, 256, (500, size, size, 3), "uint8")
    for start in range(0, count, len(block)):
        images[start : start + len(block)] = block[: count - start]
    images.flush()


def _search(bench, count):
    child = bench.child("experiments.benchmark.search")
    runs, _ = child.prepare("ours", queries=_QUERIES, bank=count)
    rates = alternate({"ours": (runs["search"], _QUERIES)}, 3, bench.seconds / 4)
    child.forget()
    return 1e9 / median(rates["ours"]) / count, "ns a pair", ""
