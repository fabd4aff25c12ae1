"""Rows that say that what makes the model fast leaves its codes as good as they were."""

from collections.abc import Iterator
from functools import partial
from statistics import mean

from dim import data
from experiments.benchmark.bench import OURS, Bench
from experiments.benchmark.steps import PRECISIONS
from experiments.benchmark.table import Row

SEEDS = 0, 1


def accuracy_rows(bench: Bench) -> Iterator:
    """Accuracy of nearest neighbours after equally many images, with all rewrites and without."""
    for preset in bench.options.presets:
        for precision in PRECISIONS:
            name = f"accuracy: {preset}, {precision}"
            yield name, partial(_accuracy, bench, name, preset, precision)


def _accuracy(bench, name, preset, precision) -> list[Row]:
    arguments = {"preset": preset, "precision": precision, "image_size": bench.options.image_size}
    arguments |= {"where": bench.options.data or data.default(), "epochs": 1 if bench.quick else 3}
    found = {}
    for side, plain in ("ours", False), ("plain", True):
        facts = [bench.ours().facts("accuracy", seed=seed, plain=plain, **arguments) for seed in SEEDS]
        found[side] = [100 * each["accuracy"] for each in facts]
        bench.end(OURS)
    seeds = "; ".join(f"{side} {' and '.join(f'{a:.1f}' for a in each)}" for side, each in found.items())
    return [
        Row(
            what=f"{name}, 20-NN by cosine after {facts[0]['images']:,} images",
            unit="%",
            ours=mean(found["ours"]),
            rival=mean(found["plain"]),
            rival_name="no rewrites",
            note=f"seeds {SEEDS[0]} and {SEEDS[1]}: {seeds}",
        )
    ]
