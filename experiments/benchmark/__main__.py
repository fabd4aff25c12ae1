"""Measures what the project is fast at, beside its rivals and the limits of the machine.

Every row runs both sides in turn, each in a process of its own; run it with nothing else running. The table
goes to standard output and, with the numbers behind it, to a folder.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from dim.data import PHOTO_PATCHES
from dim.errors import DimError
from dim.files import typed_path
from dim.names import printable
from dim.presets import PRESETS
from experiments import command_line
from experiments.benchmark import decode, indexing, search, steps
from experiments.benchmark.bench import Bench
from experiments.benchmark.table import Row, machine, table

ROWS = {
    "step": steps.step_rows,
    "augmentation": steps.augmentation_rows,
    "feed": steps.feed_rows,
    "decode": decode.decode_rows,
    "encode": steps.encode_rows,
    "indexing": indexing.indexing_rows,
    "search": search.search_rows,
    "index": search.index_rows,
}
KINDS = tuple(ROWS)
PRECISIONS = "float32", "mixed_bfloat16"


@dataclass(frozen=True)
class Options:
    """Options of `benchmark`."""

    rows: tuple[Literal[KINDS], ...] = KINDS[:-1]
    """Which rows to measure; index (3 minutes) only where it is named."""
    presets: tuple[Literal[tuple(PRESETS)], ...] = ("seed", "dim")
    """Presets of the step; PyTorch's side knows these two."""
    batch_sizes: tuple[int, ...] = (100,)
    """Images a step; on a GPU 128 512 2048."""
    image_size: int = 64
    """Side of the images in pixels."""
    data: str = ""
    """As in train."""
    torch_python: str = ""
    """An interpreter that has PyTorch; by default that of .venv-backends, or else this one."""
    output: str = "runs/benchmark"
    """Folder of benchmark.md and benchmark.json."""
    quick: bool = False
    """Short turns, few sizes, PyTorch not compiled."""


def benchmark(options: Options) -> None:
    """Measures row by row. A row that fails says why in its place."""
    _check(options)
    folder = typed_path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    bench, rows = Bench(options), []
    try:
        head = machine(bench.device(), bench.pytorch()[0])
        with tqdm(_tasks(bench), unit=" rows", dynamic_ncols=True) as progress:
            for name, measure in progress:
                progress.set_description(name)
                rows += _measured(bench, name, measure)
        rates = [f"{bench.matrix_rate(p) / 1e12:.3g} TFLOP/s in {p}" for p in PRECISIONS]
    finally:
        bench.end()
    limits = f"Measured limits: matrix products {', '.join(rates)}."
    text = f"{head}\n\n{limits}\n\n{table(rows)}"
    numbers = {"machine": head, "limits": limits, "rows": [{**vars(row), "share": row.share} for row in rows]}
    (folder / "benchmark.md").write_text(text, "utf8")
    (folder / "benchmark.json").write_text(json.dumps(numbers, indent=2) + "\n", "utf8")
    print(f"{text}\n{printable(folder / 'benchmark.md')}")


def _check(options: Options) -> None:
    if options.data not in ("", PHOTO_PATCHES) and not typed_path(options.data).exists():
        raise DimError(f"no data at {Path(options.data).absolute()}; --data takes what train takes")
    if not options.rows or min(options.batch_sizes, default=0) < 2:
        raise DimError("--rows must name at least one kind, and --batch-sizes one of at least 2")
    if options.torch_python and not os.access(options.torch_python, os.X_OK):
        raise DimError(f"--torch-python {options.torch_python} is not a program")


def _tasks(bench: Bench) -> list[tuple[str, Callable[[], list[Row]]]]:
    """What makes rows, and what to call it."""
    options = bench.options
    sizes = {f"batch {B}": (B,) for B in options.batch_sizes}
    steps = {
        f"{preset}, {precision}, batch {B}": (preset, precision, B)
        for B, preset, precision in product(options.batch_sizes, options.presets, PRECISIONS)
    }
    indexes = {kind: (kind,) for kind in search.SIZES}
    cases = {"step": steps, "augmentation": sizes, "feed": sizes, "index": indexes}
    return [
        (f"{kind}: {name}".removesuffix(": "), partial(ROWS[kind], bench, *case))
        for kind in options.rows
        for name, case in cases.get(kind, {"": ()}).items()
    ]


def _measured(bench: Bench, name: str, measure: Callable[[], list[Row]]) -> list[Row]:
    try:
        return measure()
    except Exception as error:  # whatever it was, the other rows are still wanted
        bench.end()
        return [Row(what=name, note="failed: " + " ".join(f"{type(error).__name__}: {error}".split()))]
    finally:
        bench.forget()


if __name__ == "__main__":
    command_line.run(benchmark, Options, __doc__)
