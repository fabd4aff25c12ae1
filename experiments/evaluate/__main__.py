"""Says what a run's features are worth: accuracies, retrieval, gauges and dependence beside baselines.

Writes evaluation.json, evaluation.md and evaluation.png into the run folder and a line into
evaluations.csv beside it. Settings of the probes are chosen within the training images; validation images
are looked at once, or, of a run with --tune, never: what that held out stands in their place.
"""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from typing import Literal

from dim.data import Dataset
from dim.errors import DimError
from dim.files import check_writable
from dim.names import printable
from dim.training.run import Run
from experiments import command_line, terminal


@dataclass(frozen=True)
class Options:
    """Options of `evaluate`."""

    run: str = ""
    """Name of the folder in runs/ (or a path); several with commas between give mean ± standard deviation
    in evaluations.md beside them. By default the run trained last."""
    data: str = ""
    """Another data set than the one the run was trained on."""
    quick: bool = False
    """Neighbours, retrieval, clusters and gauges alone; no probes, no dependence."""
    svm: bool = False
    """Linear support vector machines too; they take minutes."""
    metrics: tuple[Literal["l2", "cosine", "l1", "mahalanobis"], ...] = ("l2", "cosine")
    """Distances of the retrieval metrics."""
    supervised: str = ""
    """A run with PRESET=supervised on the same data, to stand beside."""
    seed: int = 0
    """Of everything random in the evaluation."""


def evaluate(options: Options) -> None:
    """Evaluates each run, and compares them if they are several.

    Raises:
        DimError: a run, the data or an option cannot be used.
    """
    if options.seed < 0:
        raise DimError(f"--seed must be at least 0, not {options.seed}")
    if not options.metrics:
        raise DimError("--metrics needs at least one distance")
    names = list(dict.fromkeys(name.strip() for name in options.run.split(",") if name.strip()))
    runs = [Run.chosen(name) for name in names or [""]]
    for run in runs:
        _dataset(run, options)
        check_writable(run.path)
        check_writable(run.path.parent)

    from experiments.evaluate.plot import plot
    from experiments.evaluate.tables import markdown, record, recorded

    recorded(runs[0].path.parent / "evaluations.csv")  # that it can be added to, before the work
    evaluations = []
    for run, evaluation in zip(runs, _evaluated_in_turn(runs, options), strict=True):
        evaluations.append(evaluation)
        text = markdown([evaluation])
        print(f"\n{text}", flush=True)  # first: were the disk full by now, files alone would be lost
        run.write_json(run.path / "evaluation.json", evaluation)
        (run.path / "evaluation.md").write_text(text, "utf8")
        plot(evaluation).savefig(run.path / "evaluation.png")
        csv = record(run.path.parent / "evaluations.csv", evaluation)
        written = [run.path / f"evaluation.{kind}" for kind in ("json", "md", "png")]
        print("  ".join(map(printable, [*written, csv])))
    if len(runs) > 1:
        file = runs[0].path.parent / "evaluations.md"
        text = markdown(evaluations)
        print(f"\n{text}", flush=True)
        file.write_text(text, "utf8")
        print(printable(file))


def _evaluated_in_turn(runs: list[Run], options: Options) -> Iterator[dict]:
    """Each of several in a process of its own: what TensorFlow keeps of one would add up."""
    if len(runs) == 1:
        with command_line.nothing_to_lose():
            evaluation, _ = _evaluated(runs[0].name, options, {})
        yield evaluation
        return
    baselines = {}
    with ProcessPoolExecutor(1, get_context("spawn"), _obey_parent, max_tasks_per_child=1) as processes:
        try:
            for run in runs:
                evaluation, baselines = processes.submit(_evaluated, run.name, options, baselines).result()
                yield evaluation
        except BrokenProcessPool as error:
            raise DimError(
                f"evaluating {run.path} was killed, perhaps for want of memory; try it alone"
            ) from error
        except BaseException:
            for process in active_children():
                process.terminate()
            raise


def _obey_parent() -> None:
    """Ctrl-C reaches all processes; this one waits to be told, and ends with its parent in any case."""
    terminal.protect()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent_process().join()
    os._exit(1)


def _evaluated(name: str, options: Options, baselines: dict) -> tuple[dict, dict]:
    command_line.import_keras()
    from experiments.evaluate.evaluation import Evaluation

    run = Run(name)
    return Evaluation(run, _dataset(run, options), options, baselines).evaluate(), baselines


def _dataset(run: Run, options: Options) -> Dataset:
    configuration = run.configuration()
    if not run.checkpoint.exists():
        raise DimError(f"{run.path} has no checkpoint yet; train it: make train RUN={run.name}")
    if options.supervised:
        other = Run(options.supervised)
        theirs = other.configuration()
        if theirs.method != "supervised":
            raise DimError(
                f"{other.path} is a run of {theirs.method}; train one: make train PRESET=supervised"
            )
        if any(getattr(theirs, n) != getattr(configuration, n) for n in ("data", "image_size", "tune")):
            raise DimError(f"{other.path} was trained on other images than {run.path}; train one on the same")
    return run.dataset(options.data)


if __name__ == "__main__":
    command_line.run(evaluate, Options, __doc__)
