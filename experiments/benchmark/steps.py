"""Rows of the training step and of the random views in it."""

from collections.abc import Iterator
from functools import partial
from statistics import median

from experiments.benchmark.bench import Bench
from experiments.benchmark.compare import alternate
from experiments.benchmark.table import Row

PRECISIONS = "float32", "mixed_bfloat16"
_WITH_RIVAL = "seed", "dim"


def step_rows(bench: Bench) -> Iterator:
    """Images a second through a full training step."""
    for batch_size in bench.options.batch_sizes:
        for preset in bench.options.presets:
            for precision in PRECISIONS:
                name = f"step: {preset}, {precision}, batch {batch_size}"
                yield name, partial(_step, bench, name, preset, precision, batch_size)


def _step(bench, name, preset, precision, batch_size) -> list[Row]:
    arguments = {"preset": preset, "precision": precision, "batch_size": batch_size}
    arguments["image_size"] = bench.options.image_size
    rate = bench.matrix_rate(precision)
    runs, facts = bench.ours().prepare("step", **arguments)
    rival, rival_name = bench.fastest("step", **arguments) if preset in _WITH_RIVAL else (None, "none")
    sides = {"ours": (runs["step"], batch_size)}
    if rival:
        sides["rival"] = rival, batch_size
    rates = alternate(sides, bench.rounds, bench.seconds)
    row = Row.of_rates(
        name, "images/s", rates, rival_name, limit=rate / facts["operations"], note=cost(facts, rate)
    )
    return [row]


def cost(facts: dict, rate: float) -> str:
    """The operations and bytes of an image, in words."""
    touched = f", {facts['bytes'] / 1e6:.0f} MB touched" if facts["bytes"] else ""
    return f"{facts['operations'] / 1e9:.3g} GFLOP an image{touched}; limit from {rate / 1e12:.3g} TFLOP/s"


def rewrite_rows(bench: Bench) -> Iterator:
    """What each rewrite brings, alone and on top of the others."""
    batch_size = bench.options.batch_sizes[0]
    for preset in bench.options.presets:
        for precision in PRECISIONS:
            name = f"rewrites: {preset}, {precision}, batch {batch_size}"
            yield name, partial(_rewrites, bench, name, preset, precision, batch_size)


def _rewrites(bench, name, preset, precision, batch_size) -> list[Row]:
    arguments = {"preset": preset, "precision": precision, "batch_size": batch_size}
    runs, _ = bench.ours().prepare("rewrites", **arguments, image_size=bench.options.image_size)
    rates = alternate({side: (run, batch_size) for side, run in runs.items()}, bench.rounds, bench.seconds)
    pairs = {"all": ("all", "none")}
    for side in rates:
        if side.endswith(" alone"):
            pairs[side] = side, "none"
        elif side.startswith("all but "):
            pairs[side.removeprefix("all but ") + " on top of the others"] = "all", side
    return [
        Row.of_rates(
            f"{name}: {what}", "images/s", {"ours": rates[one], "rival": rates[other]}, f"with {other}"
        )
        for what, (one, other) in pairs.items()
    ]


def augmentation_rows(bench: Bench) -> Iterator:
    """What random views cost, alone and of the step of `dim`, which takes two of each image."""
    for batch_size in bench.options.batch_sizes:
        name = f"augmentation: batch {batch_size}"
        yield name, partial(_augmentation, bench, name, batch_size)


def _augmentation(bench, name, batch_size) -> list[Row]:
    arguments = {"batch_size": batch_size, "image_size": bench.options.image_size}
    runs, _ = bench.ours().prepare("views", preset="dim", precision=bench.precision(), **arguments)
    rival, rival_name = bench.fastest("views", **arguments)
    sides = {"ours": (runs["views"], batch_size), "step": (runs["step"], batch_size)}
    if rival:
        sides["rival"] = rival, batch_size
    rates = alternate(sides, bench.rounds, bench.seconds)
    share = 2 * median(rates["step"]) / median(rates["ours"])
    note = f"two views of each image are {share:.1%} of the step of dim, {bench.precision()}"
    return [Row.of_rates(name, "views/s", rates, rival_name, note=note)]
