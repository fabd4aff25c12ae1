"""Trains presets at an equal budget and writes one table and one plot of what came of them.

Every run is the plain `experiments.train` in the folder OUT/PRESET-seedSEED, and what it prints goes to
OUT/PRESET-seedSEED.log. The same command again skips what is complete and goes on with the rest. Writes
compare.md, compare.csv and compare.png into OUT.
"""

import csv
import json
import platform
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from statistics import mean, stdev

from tqdm import tqdm

from dim import data
from dim.configuration import Configuration
from dim.errors import DimError
from dim.presets import PRESETS
from dim.runs import Run
from experiments import command_line

_OURS = ("--preset", "--seed", "--epochs", "--data", "--run")
_METRICS = {"cosine": "cosine", "l2": "L2"}
_COLUMNS = ("name", "cosine", "cosine_deviation", "l2", "l2_deviation")
_COLUMNS += ("seeds", "images_seen", "minutes", "failed")
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # of Okabe and Ito
_LEADER = {"arrowstyle": "-", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0, "relpos": (0, 0.5)}
_STYLES = ("-", (0, (5, 1, 1, 1)), (0, (1, 1)))


@dataclass(frozen=True)
class Options:
    """Options of `compare`."""

    presets: tuple[str, ...] = tuple(PRESETS)
    """Which to train."""
    seeds: tuple[int, ...] = (0, 1)
    """Each preset is trained once with each."""
    epochs: int = 12
    """Passes over the training images, the same for all."""
    data: str = ""
    """As for train."""
    out: str = "runs/compare"
    """Folder of the runs, the table and the plot."""
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
    k: int = 0
    accuracy: dict = field(default_factory=dict)
    """As in results.json: what was compared → metric → share of hits."""
    curve: list[tuple[int, float]] = field(default_factory=list)
    """Images seen and cosine accuracy after each epoch."""

    @property
    def name(self) -> str:
        return f"{self.preset}-seed{self.seed}"

    @property
    def run(self) -> Run:
        return Run(f"{self.out}/{self.name}")

    @property
    def printed(self) -> Path:
        return self.out / f"{self.name}.log"

    @property
    def diary_file(self) -> Path:
        return self.run.path / "compare.json"


def compare(options: Options) -> None:
    """Trains what is not complete, then writes the table and the plot.

    Raises:
        DimError: an option cannot be used, or every run failed.
    """
    entries = trained(options)
    complete, out = [entry for entry in entries if not entry.failure], Path(options.out)
    rows = table(entries)
    text = f"{header(complete, options.epochs)}\n\n{markdown(rows)}"
    (out / "compare.md").write_text(text, "utf8")
    with (out / "compare.csv").open("w", newline="", encoding="utf8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    plot(complete, rows).savefig(out / "compare.png")
    print(f"\n{text}\n{out / 'compare.md'}  {out / 'compare.csv'}  {out / 'compare.png'}")


def trained(options: Options) -> list[Entry]:
    """Every preset with every seed, of which is trained what is not complete.

    Raises:
        DimError: an option cannot be used, or every run failed.
    """
    _check(options)
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or the training would go on without us
    entries = [Entry(p, s, out) for s in dict.fromkeys(options.seeds) for p in dict.fromkeys(options.presets)]
    try:
        for number, entry in enumerate(entries, start=1):
            entry.failure = _train(entry, options, f"{entry.name} ({number} of {len(entries)})")
    except KeyboardInterrupt:
        print(f"\ninterrupted; complete epochs are kept in {out}; the same command goes on from there")
        raise
    for entry in entries:
        entry.failure = entry.failure or _read(entry, options.epochs)
    if all(entry.failure for entry in entries):
        raise DimError(f"every run failed; {entries[0].name}: {entries[0].failure} ({entries[0].printed})")
    return entries


def _check(options: Options) -> None:
    for preset in options.presets:
        if preset not in PRESETS:
            near = get_close_matches(preset, PRESETS, n=1, cutoff=0.3)
            hint = f"did you mean {near[0]}? " if near else ""
            raise DimError(f"no preset {preset!r}; {hint}there are: {', '.join(PRESETS)}")
    if not options.presets or not options.seeds:
        raise DimError("nothing to compare: --presets and --seeds each need at least one")
    if options.epochs < 1 or min(options.seeds) < 0:
        raise DimError("--epochs must be at least 1 and --seeds at least 0")
    for word in shlex.split(options.args):
        if (option := word.partition("=")[0]) in _OURS:
            raise DimError(f"--args must not contain {option}, which differs from run to run")


def _train(entry: Entry, options: Options, title: str) -> str:
    """Trains as a user would, unless just this is complete. Returns why it failed, or nothing.

    The time of all complete epochs adds up in the run's folder; what an interruption loses does not count.
    """
    values = entry.preset, entry.seed, options.epochs, options.data or data.default(), entry.run.name
    ours = (word for pair in zip(_OURS, map(str, values), strict=True) for word in pair)
    command = [*shlex.split(options.args), *ours]
    diary = json.loads(entry.diary_file.read_text("utf8")) if entry.diary_file.exists() else {}
    if diary.get("machine") and diary["command"] == command:
        print(f"{title}: complete")
        return ""
    before, started = diary.get("seconds", 0.0), time.monotonic()
    saved = _saved(entry.run)

    def note(**more):
        seconds = before + time.monotonic() - started
        entry.run.write_json(entry.diary_file, {"command": command, "seconds": seconds, **more})

    with entry.printed.open("a+", encoding="utf8", errors="replace") as printed, _bar(title, options) as bar:
        begin = printed.seek(0, 2)
        process = subprocess.Popen(
            [sys.executable, "-m", "experiments.train", *command],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        try:
            while process.poll() is None:
                time.sleep(0.2)
                if _saved(entry.run) != saved:
                    saved = _saved(entry.run)
                    note()
                _show(bar, _log(entry.run))
        finally:
            if process.poll() is None:
                process.terminate()  # a run withstands it at any moment
                process.wait()
        _show(bar, _log(entry.run))
        printed.seek(begin)
        lines = [line.strip() for line in printed.read().splitlines() if line.strip()]
    if process.returncode:
        return _reason(process.returncode, lines)
    setting = next(line for line in lines if " · preset " in line)  # below the progress of decoding
    note(machine=_machine(setting), data=setting.partition(" · ")[0], date=date.today().isoformat())
    return ""


def _saved(run: Run) -> int:
    """When the last complete epoch was saved."""
    return run.checkpoint.stat().st_mtime_ns if run.checkpoint.exists() else 0


def _log(run: Run) -> list[dict]:
    if not run.log.exists():
        return []
    with run.log.open(encoding="utf8") as file:
        return list(csv.DictReader(file))


def _bar(title: str, options: Options) -> tqdm:
    return tqdm(
        total=options.epochs,
        desc=title,
        unit=" epochs",
        dynamic_ncols=True,
        mininterval=0.2 if sys.stderr.isatty() else 5,
    )


def _show(bar: tqdm, log: list[dict]) -> None:
    if len(log) > bar.n:
        if log[-1].get("knn_cosine"):
            bar.set_postfix({"20-NN": log[-1]["knn_cosine"]}, refresh=False)
        bar.update(len(log) - bar.n)
    if sys.stderr.isatty():
        bar.refresh()


def _reason(status: int, lines: list[str]) -> str:
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return [f"ended with status {status}", *lines[-1:], *errors][-1]


def _machine(setting: str) -> str:
    """Backend, device and precision as the training says them, and the processor's name."""
    device = setting.split(" · ")[-2]
    cpu_info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", cpu_info.read_text("utf8")) if cpu_info.exists() else None
    processor = found[1] if found else platform.processor()
    return f"{device}, {processor}" if processor else device


def _read(entry: Entry, epochs: int) -> str:
    """Fills an entry from its complete run. Returns why that cannot be compared, or nothing."""
    run = entry.run
    if not run.results.exists():
        return "the images have no labels, so there is no accuracy to compare"
    log = _log(run)
    if len(log) != epochs:
        return f"has been trained for {len(log)} epochs, not {epochs}; take another --out for that"
    entry.configuration = run.configuration()
    entry.diary = json.loads(entry.diary_file.read_text("utf8"))
    results = json.loads(run.results.read_text("utf8"))
    entry.k, entry.accuracy = results["k"], results["accuracy"]
    held = json.loads(run.data.read_text("utf8"))
    batch = entry.configuration.images_per_step(held["classes"])
    images = held["train"] // batch * batch
    entry.curve = [(int(row["epoch"]) * images, float(row["knn_cosine"])) for row in log]
    return ""


def table(entries: list[Entry]) -> list[dict]:
    """One row a preset, and the two that every code has to beat, the most accurate first.

    Accuracies are shares of 1, with the standard deviation over seeds (n - 1) where there are several.
    """
    complete = [entry for entry in entries if not entry.failure]
    rows = []
    for preset in dict.fromkeys(entry.preset for entry in entries):
        own = [entry for entry in complete if entry.preset == preset]
        minutes = [entry.diary["seconds"] / 60 for entry in own]
        failed = [f"seed {e.seed}: {e.failure}" for e in entries if e.preset == preset and e.failure]
        rows.append(
            {
                "name": preset,
                **_accuracies(own, "code"),
                "images_seen": own[0].curve[-1][0] if own else "",
                "minutes": mean(minutes) if own else "",
                "failed": "; ".join(failed),
            }
        )
    encoders = dict.fromkeys(entry.configuration.encoder for entry in complete)
    for encoder in encoders:
        own = [entry for entry in complete if entry.configuration.encoder == encoder]
        name = "random encoder" if len(encoders) == 1 else f"random encoder ({encoder})"
        rows.append({"name": name, **_accuracies(own, "random encoder")})
    rows.append({"name": "raw pixels", **_accuracies(complete, "raw pixels")})
    rows.sort(key=lambda row: -1 if row["cosine"] == "" else row["cosine"], reverse=True)
    return [{name: row.get(name, "") for name in _COLUMNS} for row in rows]


def _accuracies(entries: list[Entry], what: str) -> dict:
    """Mean over the presets of each seed, then mean and standard deviation over the seeds."""
    seeds = dict.fromkeys(entry.seed for entry in entries)
    cells = {"seeds": len(seeds)}
    for metric in _METRICS:
        each = [mean(e.accuracy[what][metric] for e in entries if e.seed == seed) for seed in seeds]
        cells[metric] = mean(each) if each else ""
        cells[f"{metric}_deviation"] = stdev(each) if len(each) > 1 else ""
    return cells


def header(complete: list[Entry], epochs: int) -> str:
    """What the numbers of a table are, in one line."""

    def each(values):
        return "; ".join(dict.fromkeys(values))

    neighbours = each(f"{entry.k}-NN" for entry in complete)
    seen = [entry.curve[-1][0] for entry in complete]
    images = " to ".join(dict.fromkeys(f"{n:,}" for n in (min(seen), max(seen))))
    return " · ".join(
        [
            each(entry.diary["data"] for entry in complete),
            f"{epochs} epochs, {images} images seen",
            f"validation accuracy of {neighbours} among all training images",
            "mean ± standard deviation over seeds",
            each(entry.diary["machine"] for entry in complete),
            max(entry.diary["date"] for entry in complete),
        ]
    )


def markdown(rows: list[dict]) -> str:
    """The rows of `table` for reading."""
    titles = ["", *_METRICS.values(), "seeds", "images seen", "minutes"]
    lines = [
        [
            row["name"],
            *(_percent(row[metric], row[f"{metric}_deviation"]) for metric in _METRICS),
            str(row["seeds"]),
            f"{row['images_seen']:,}" if row["images_seen"] else "",
            f"{row['minutes']:.1f}" if row["minutes"] != "" else "",
        ]
        for row in rows
    ]
    if any(row["failed"] for row in rows):
        titles.append("failed")
        lines = [[*line, row["failed"].replace("|", "\\|")] for line, row in zip(lines, rows, strict=True)]
    rule = ["---" if title in ("", "failed") else "---:" for title in titles]
    return "".join(f"| {' | '.join(line)} |\n" for line in (titles, rule, *lines))


def _percent(share, deviation) -> str:
    if share == "":
        return ""
    return f"{100 * share:.1f} %" if deviation == "" else f"{100 * share:.1f} ± {100 * deviation:.1f} %"


def plot(complete: list[Entry], rows: list[dict]):
    """Accuracy over images seen: a line a preset, the mean of its seeds, in a band from least to greatest.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import StrMethodFormatter

    figure = Figure(figsize=(7, 4.3), dpi=200, layout="constrained")
    axes = figure.subplots()
    labels = []
    for i, preset in enumerate(dict.fromkeys(entry.preset for entry in complete)):
        curves = [entry.curve for entry in complete if entry.preset == preset]
        seen = [images for images, _ in curves[0]]
        each = [[100 * accuracy for _, accuracy in epoch] for epoch in zip(*curves, strict=True)]
        middle = [mean(epoch) for epoch in each]
        colour, style = _COLOURS[i % len(_COLOURS)], _STYLES[i // len(_COLOURS) % len(_STYLES)]
        marker = "o" if len(seen) == 1 else None
        axes.plot(seen, middle, color=colour, linestyle=style, linewidth=1.8, marker=marker)
        if len(curves) > 1:
            axes.fill_between(
                seen, list(map(min, each)), list(map(max, each)), color=colour, alpha=0.2, linewidth=0
            )
        labels.append((middle[-1], seen[-1], preset, colour))
    end = max(images for _, images, _, _ in labels)
    for row in rows:
        if row["name"] == "raw pixels" or row["name"].startswith("random encoder"):
            axes.axhline(100 * row["cosine"], color="0.45", linestyle="--", linewidth=1)
            labels.append((100 * row["cosine"], end, row["name"], "0.35"))
    axes.set_xlim(0, end)
    _label(axes, labels)
    axes.set_xlabel("images seen")
    axes.set_ylabel(f"accuracy of {complete[0].k}-NN by cosine (%)")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.spines[["top", "right"]].set_visible(False)
    note = "lines: mean of the seeds on a fixed sample of the images, in a band from least to greatest"
    figure.supxlabel(f"{note}; dashed: all images", fontsize=7)
    return figure


def _label(axes, labels: list[tuple[float, int, str, str]]) -> None:
    """Names lines at the right, moving names apart that would touch."""
    low, high = axes.get_ylim()
    labels = sorted(labels)
    for _ in range(5):  # making room for names changes the scale, and so the room that they need
        gap = (high - low) * 0.055
        heights = _apart([value for value, *_ in labels], gap)
        low, high = min(low, heights[0] - gap / 2), max(high, heights[-1] + gap / 2)
    axes.set_ylim(low, high)
    for height, (value, images, name, colour) in zip(heights, labels, strict=True):
        axes.annotate(
            name,
            (images, value),
            (1.03, height),
            textcoords=axes.get_yaxis_transform(),
            color=colour,
            va="center",
            fontsize=9,
            arrowprops={**_LEADER, "color": colour},
            annotation_clip=False,
        )


def _apart(wishes: list[float], gap: float) -> list[float]:
    """The nearest places to ascending wishes, in least squares, that are a gap or more apart."""
    groups = []  # of those that touch: how many, and where the lowest goes
    for i, wish in enumerate(wishes):
        groups.append((1, wish - i * gap))
        while len(groups) > 1 and groups[-2][1] > groups[-1][1]:
            (n, below), (m, above) = groups[-2:]
            groups[-2:] = [(n + m, (n * below + m * above) / (n + m))]
    starts = [start for count, start in groups for _ in range(count)]
    return [start + i * gap for i, start in enumerate(starts)]


if __name__ == "__main__":
    command_line.run(compare, Options, __doc__)
