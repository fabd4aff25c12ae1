"""Measures what the project is fast at, beside its rivals and the limits of the machine.

Every row runs both sides in turn, each in a process of its own; run it with nothing else running. The table
goes to standard output and, with the numbers behind it, to a folder.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from dim.files import typed_path
from experiments import command_line

Kind = Literal["step", "augmentation", "feed", "decode", "encode", "search", "index"]
KINDS = get_args(Kind)


@dataclass(frozen=True)
class Options:
    """Options of `benchmark`."""

    rows: tuple[Kind, ...] = KINDS[:-1]
    """Which rows to measure; index (3 minutes) only where it is named."""
    presets: tuple[str, ...] = ("seed", "dim")
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
    """Measures row by row. A row that fails says why in its place.

    Raises:
        DimError: an option cannot be used.
    """
    from tqdm import tqdm

    from dim.names import printable
    from experiments.benchmark.bench import Bench
    from experiments.benchmark.table import machine, table

    _check(options)
    folder = typed_path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    bench, rows = Bench(options), []
    try:
        head = machine(*_devices(bench))
        tasks = [task for kind in options.rows for task in _tasks(kind, bench)]
        with tqdm(tasks, unit=" rows", dynamic_ncols=True) as progress:
            for name, measure in progress:
                progress.set_description(name)
                rows += _measured(bench, name, measure)
        limits = _limits(bench)
    finally:
        bench.end()
    text = f"{head}\n\n{limits}\n\n{table(rows)}"
    numbers = {"machine": head, "limits": limits, "rows": [row.as_json() for row in rows]}
    (folder / "benchmark.md").write_text(text, "utf8")
    (folder / "benchmark.json").write_text(json.dumps(numbers, indent=2) + "\n", "utf8")
    print(f"{text}\n{printable(folder / 'benchmark.md')}")


def _check(options: Options) -> None:
    from dim.data import PHOTO_PATCHES
    from dim.errors import DimError
    from dim.presets import PRESETS

    if options.data not in ("", PHOTO_PATCHES) and not typed_path(options.data).exists():
        raise DimError(f"no data at {Path(options.data).absolute()}; --data takes what train takes")
    if unknown := set(options.presets) - set(PRESETS):
        raise DimError(f"no preset {min(unknown)!r}; there are: {', '.join(PRESETS)}")
    if not options.rows or min(options.batch_sizes, default=0) < 2:
        raise DimError("--rows must name at least one kind, and --batch-sizes one of at least 2")
    if options.torch_python and not os.access(options.torch_python, os.X_OK):
        raise DimError(f"--torch-python {options.torch_python} is not a program")


def _tasks(kind: Kind, bench):
    """What makes the rows of a kind: pairs of a name and a function."""
    from experiments.benchmark import decode, search, steps

    home = {"decode": decode, "search": search, "index": search}.get(kind, steps)
    return getattr(home, f"{kind}_rows")(bench)


def _measured(bench, name, measure) -> list:
    from experiments.benchmark.table import Row

    try:
        return measure()
    except Exception as error:  # whatever it was, the other rows are still wanted
        bench.end()
        return [Row(what=name, note="failed: " + " ".join(f"{type(error).__name__}: {error}".split()))]
    finally:
        bench.forget()


def _devices(bench) -> tuple[str, str]:
    from experiments.benchmark.child import Failed

    try:
        pytorch = bench.pytorch().facts("describe")["version"]
    except Failed as error:
        pytorch = str(error)
    return bench.ours().facts("describe")["device"], pytorch


def _limits(bench) -> str:
    rates = [f"{bench.matrix_rate(p) / 1e12:.3g} TFLOP/s in {p}" for p in ("float32", "mixed_bfloat16")]
    return f"Measured limits: matrix products {', '.join(rates)}."


if __name__ == "__main__":
    command_line.run(benchmark, Options, __doc__)
