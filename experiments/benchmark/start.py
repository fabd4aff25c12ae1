"""Rows of starting up: from a command to its answer, in seconds."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial

from dim import data
from experiments.benchmark.bench import Bench, environment
from experiments.benchmark.child import Failed
from experiments.benchmark.compare import Spread
from experiments.benchmark.table import Row

_TRAIN = [sys.executable, "-m", "experiments.train"]
_PATIENCE = 120  # seconds
_STEP_SHOWN = re.compile(rb"\D[1-9]\d*/\d+ \[")  # of the progress bar, after the first step


def start_rows(bench: Bench) -> Iterator:
    """Commands of `train` against importing Keras alone, which is the floor of all that computes."""
    yield "start: --help and a bad option", partial(_answers, bench)
    yield "start: first step", partial(_first_step, bench)


def _answers(bench) -> list[Row]:
    commands = {
        "python": [sys.executable, "-c", "pass"],
        "keras": [sys.executable, "-c", "import keras"],
        "--help": [*_TRAIN, "--help"],
        "a bad option": [*_TRAIN, "--no-such-option"],
    }
    seconds = {name: [] for name in commands}
    for _ in range(1 if bench.quick else bench.rounds):
        for name, command in commands.items():
            seconds[name].append(_seconds(command))
    middle = {name: Spread.of(values).median for name, values in seconds.items()}
    return [
        Row(
            what=f"start: {name}",
            unit="s",
            ours=middle[name],
            rival=middle["keras"],
            rival_name="import keras",
            ratio=Spread.of(k / ours for k, ours in zip(seconds["keras"], seconds[name], strict=True)),
            limit=middle["python"],
            note="limit: Python doing nothing",
        )
        for name in ("--help", "a bad option")
    ]


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment(), capture_output=True, start_new_session=True)
    return time.perf_counter() - started


def _first_step(bench) -> list[Row]:
    where = bench.options.data or data.default()
    images = data.load(where, bench.options.image_size).train  # decoded now, if it was not
    arguments = ["--data", where, "--image-size", str(bench.options.image_size)]
    arguments += ["--batch-size", str(min(100, len(images)))]
    floor, first = [], []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(1 if bench.quick else 3):
            floor.append(_seconds([sys.executable, "-c", "import keras"]))
            first.append(_until_first_step([*_TRAIN, *arguments, "--run", f"{folder}/{i}"]))
    return [
        Row(
            what=f"start: first step of train, {len(images):,} images",
            unit="s",
            ours=Spread.of(first).median,
            limit=Spread.of(floor).median,
            note="limit: import keras",
        )
    ]


def _until_first_step(command: list[str]) -> float:
    """Runs a training in a terminal of its own until its progress bar shows a step."""
    import pty
    import termios

    terminal, inside = pty.openpty()
    termios.tcsetwinsize(inside, (24, 200))
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment(), stdin=inside, stdout=inside, stderr=inside, start_new_session=True
    )
    os.close(inside)
    shown = b""
    try:
        while not _STEP_SHOWN.search(shown):
            if time.perf_counter() - started > _PATIENCE:
                raise Failed(f"no step after {_PATIENCE} s")
            try:
                shown += os.read(terminal, 4096)
            except OSError as error:  # the program has ended
                last = shown.decode("utf8", "replace").strip().splitlines()[-1:]
                raise Failed("train ended before its first step: " + " ".join(last)) from error
        return time.perf_counter() - started
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(terminal)
