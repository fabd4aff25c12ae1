"""Evaluates runs one after the other.

What a child process is to call cannot lie in the `__main__` of a package: it would look for it in vain.
"""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from threading import Thread

from dim.errors import DimError
from dim.training.run import Run
from experiments import command_line, terminal
from experiments.evaluate.options import Options, dataset_of


def evaluated_in_turn(runs: list[Run], options: Options) -> Iterator[dict]:
    """Content of evaluation.json of each run.

    Several are evaluated in a process of their own each: what TensorFlow keeps of one would add up. Raises
    DimError if a run cannot be used, or its process was killed.
    """
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
            why = "was killed, perhaps for want of memory; try it alone"
            raise DimError(f"evaluating {run.path} {why}") from error
        except BaseException:
            for process in active_children():
                process.terminate()
            raise


def _evaluated(name: str, options: Options, baselines: dict) -> tuple[dict, dict]:
    command_line.import_keras()
    from experiments.evaluate.evaluation import Evaluation

    run = Run(name)
    return Evaluation(run, dataset_of(run, options), options, baselines).evaluate(), baselines


def _obey_parent() -> None:
    """Ctrl-C reaches all processes; this one waits to be told, and ends with its parent in any case."""
    terminal.protect()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent_process().join()
    os._exit(1)
