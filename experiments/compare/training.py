"""Trains presets one after the other, each in a process of its own, and goes on where it was stopped."""

import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from dim import data
from dim.configuration import Configuration
from dim.errors import DimError
from dim.files import read_table, typed_path
from dim.form import check
from dim.names import printable
from dim.presets import PRESETS
from dim.training.run import Run

Preset = Literal[tuple(PRESETS)]
_OURS = ("--preset", "--seed", "--epochs", "--data", "--run")


@dataclass(frozen=True)
class Options:
    """What is trained: every preset with every seed."""

    presets: tuple[Preset, ...] = tuple(PRESETS)
    """Which to train."""
    seeds: tuple[int, ...] = (0, 1)
    """Each preset is trained once with each."""
    epochs: int = 12
    """Passes over the training images, the same for all."""
    data: str = ""
    """As for train; the images need labels."""
    tune: bool = False
    """For making choices: compare on a tenth held out of the training images, and never look at the
    validation images. Takes an --out of its own."""
    out: str = "runs/compare"
    """Folder of the runs, the table and the picture."""
    args: str = ""
    """Further options of train for all runs, in one string: --args="--image-size 32 --views 1"."""


@dataclass
class Entry:
    """One preset with one seed: where its run is, and after `_read` what came of it."""

    preset: str
    seed: int
    out: Path
    failure: str = ""
    configuration: Configuration | None = None
    diary: dict = field(default_factory=dict)
    """As in compare.json, and the data in words."""
    k: int = 0
    accuracy: dict = field(default_factory=dict)
    """As in results.json: what was compared → metric → share of hits."""
    curve: list[tuple[int, float]] = field(default_factory=list)
    """Images seen and cosine accuracy after each epoch."""

    def __post_init__(self):
        self.name = f"{self.preset}-seed{self.seed}"
        self.run = Run(f"{self.out}/{self.name}")
        self.printed = self.out / f"{self.name}.log"
        self.diary_file = self.out / self.name / "compare.json"


def trained(options: Options) -> list[Entry]:
    """Every preset with every seed, of which is trained what is not complete."""
    _check(options)
    out = typed_path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    entries = [Entry(p, s, out) for s in dict.fromkeys(options.seeds) for p in dict.fromkeys(options.presets)]
    try:
        for number, entry in enumerate(entries, start=1):
            entry.failure = _train(entry, options, f"{entry.name} ({number} of {len(entries)})")
    except KeyboardInterrupt:
        kept = f"complete epochs are kept in {out}; the same command goes on from there"
        print("\ninterrupted; " + printable(kept))
        raise
    for entry in entries:
        entry.failure = entry.failure or _read(entry, options.epochs)
    if all(entry.failure for entry in entries):
        raise DimError(f"every run failed; {entries[0].name}: {entries[0].failure} ({entries[0].printed})")
    return entries


def _check(options: Options) -> None:
    """Before anything is trained, and without decoding an image."""
    if not options.presets or not options.seeds:
        raise DimError("nothing to compare: --presets and --seeds each need at least one")
    if options.epochs < 1 or min(options.seeds) < 0:
        raise DimError("--epochs must be at least 1 and --seeds at least 0")
    try:
        words = shlex.split(options.args)
    except ValueError as error:
        raise DimError(f"--args {options.args!r}: {error}") from None
    for word in words:
        if (option := word.partition("=")[0]) in _OURS:
            raise DimError(f"--args must not contain {option}, which differs from run to run")
    source = data.listed(options.data or data.default())
    if source.recipe().labels is None:
        unlabelled = f"{printable(source.name)} has no labels, so there is no accuracy to compare"
        raise DimError(f"{unlabelled}; put each class into a sub-folder of its own")


def _train(entry: Entry, options: Options, title: str) -> str:
    """Trains as a user would, unless just this is complete. Returns why it failed, or nothing.

    The time of all complete epochs adds up in the run's folder; what an interruption loses does not count.
    """
    run = entry.run
    values = entry.preset, entry.seed, options.epochs, options.data or data.default(), run.name
    ours = (word for pair in zip(_OURS, map(str, values), strict=True) for word in pair)
    command = [*shlex.split(options.args), *ours, *(["--tune"] if options.tune else [])]
    diary = run.read_json(entry.diary_file) if entry.diary_file.exists() else {}
    if diary.get("machine") and diary["command"] == command:
        print(f"{title}: complete")
        return ""
    before, started, saved = diary.get("seconds", 0.0), time.monotonic(), _saved(run)

    def note(**more):
        seconds = before + time.monotonic() - started
        run.write_json(entry.diary_file, {"command": command, "seconds": seconds, **more})

    often = {"dynamic_ncols": True, "mininterval": 0.2 if sys.stderr.isatty() else 5}
    with (
        entry.printed.open("a+", encoding="utf8", errors="replace") as printed,
        tqdm(total=options.epochs, desc=title, unit=" epochs", **often) as bar,
    ):
        begin = printed.seek(0, 2)
        program = [sys.executable, "-m", "experiments.train", *command]
        said = {"stdout": printed, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(program, stdin=subprocess.DEVNULL, **said)
        try:
            while process.poll() is None:
                time.sleep(0.2)
                if _saved(run) != saved:
                    saved = _saved(run)
                    note()
                _show(bar, _log(run))
        finally:
            if process.poll() is None:
                process.terminate()  # a run withstands it at any moment
                process.wait()
        _show(bar, _log(run))
        printed.seek(begin)
        lines = [line.strip() for line in printed.read().splitlines() if line.strip()]
    if process.returncode:
        return _reason(process.returncode, lines)
    note(**run.read_json(run.machine))
    return ""


def _saved(run: Run) -> int:
    """When the last complete epoch was saved."""
    return run.checkpoint.stat().st_mtime_ns if run.checkpoint.exists() else 0


def _log(run: Run) -> list[dict]:
    return read_table(run.log, "epoch") if run.log.exists() else []


def _show(bar: tqdm, log: list[dict]) -> None:
    if log and log[-1].get("knn_cosine"):
        bar.set_postfix({"20-NN": log[-1]["knn_cosine"]}, refresh=False)
    bar.update(max(0, len(log) - bar.n))
    if sys.stderr.isatty():
        bar.refresh()


def _reason(status: int, lines: list[str]) -> str:
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return [f"ended with status {status}", *lines[-1:], *errors][-1]


def _read(entry: Entry, epochs: int) -> str:
    """Fills an entry from its complete run. Returns why that cannot be compared, or nothing."""
    run = entry.run
    if not run.results.exists():
        return "the images have no labels, so there is no accuracy to compare"
    log = _log(run)
    if len(log) != epochs:
        return f"has been trained for {len(log)} epochs, not {epochs}; take another --out for that"
    entry.configuration = run.configuration()
    entry.diary = run.read_json(entry.diary_file, "machine", "date") | {"data": str(run.dataset())}
    results = run.read_json(run.results, "k", "accuracy")
    entry.k, entry.accuracy = results["k"], results["accuracy"]
    held = run.read_json(run.data, "train", "classes")
    batch = entry.configuration.images_per_step(held["classes"])
    images = held["train"] // batch * batch
    try:
        check(entry.accuracy, {"code": dict, str: {"cosine": float, "l2": float}}, "accuracy")
        entry.curve = [(int(row["epoch"]) * images, float(row["knn_cosine"])) for row in log]
    except (KeyError, ValueError) as error:
        raise DimError(f"{run.path} is damaged ({error}); remove it to train it again") from error
    return ""
