"""Each side of a comparison works in a process of its own, and runs a block of work when it is told to.

Run as `python -m experiments.benchmark.child MODULE`, it serves the functions of that module. One prepares
something and returns (runs, facts): runs is a dictionary of functions that do it once, facts is anything
JSON can hold. A module may have a `wait`, which is given what a run returned last and returns once the
device has finished, and a `forget`, which frees memory. Orders and answers are lines of JSON.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # two processes share one GPU
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}

Run = Callable[[int], float]
"""Does a task so many times; the seconds that took."""


class Failed(Exception):
    """A side could not do its work. The message is one line."""


class Child:
    """The parent's end: a process that serves a module."""

    def __init__(self, module: str, python: str = sys.executable, **environment: str):
        path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)
        self._process = subprocess.Popen(
            [python, "-m", "experiments.benchmark.child", module],
            env={**_ENVIRONMENT, **os.environ, "PYTHONPATH": path, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            start_new_session=True,  # Ctrl-C is for the parent, which ends the whole group
        )

    def prepare(self, task: str, **arguments) -> tuple[dict[str, Run], dict]:
        """The runs of a task and its facts.

        Raises:
            Failed: the task raised, or the process died.
        """
        answer = self._order(prepare=task, arguments=arguments)
        return {name: partial(self._run, key) for name, key in answer["runs"].items()}, answer["facts"]

    def forget(self) -> None:
        """Lets go of everything prepared so far."""
        self._order(forget=True)

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        self._said.close()

    def _run(self, key: int, times: int) -> float:
        return self._order(run=key, times=times)["seconds"]

    def _order(self, **order) -> dict:
        line = ""
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        answer = json.loads(line or json.dumps({"error": self._last_words()}))
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def _last_words(self) -> str:
        status = self._process.wait()
        self._said.seek(0)
        lines = self._said.read().decode("utf8", "replace").strip().splitlines()
        return f"its process ended with status {status}" + (f": {lines[-1][:160]}" if lines else "")


def serve(name: str) -> None:
    """Obeys orders from standard input until it ends. Whatever libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    module, prepared = import_module(name), []
    for line in sys.stdin:
        try:
            answer = _obey(module, prepared, **json.loads(line))
        except Exception as error:  # told to the parent, which decides what is lost
            answer = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:200]}
        answers.write(json.dumps(answer) + "\n")


def _obey(module, prepared: list, prepare="", arguments=None, forget=False, run=0, times=0) -> dict:
    if prepare:
        runs, facts = getattr(module, prepare)(**arguments)
        keys = {name: len(prepared) + i for i, name in enumerate(runs)}
        prepared.extend(runs.values())
        return {"runs": keys, "facts": facts}
    if forget:
        prepared.clear()
        getattr(module, "forget", bool)()
        return {}
    started = time.perf_counter()
    for _ in range(times):
        result = prepared[run]()
    if hasattr(module, "wait"):
        module.wait(result)
    return {"seconds": time.perf_counter() - started}


if __name__ == "__main__":
    serve(sys.argv[1])
