"""What the rows share: the processes, how long to measure, and the limits of the machine."""

import os
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from experiments.benchmark.child import Child, Failed, Run

OURS, PYTORCH = "experiments.benchmark.keras_tasks", "experiments.benchmark.torch_tasks"
# PyTorch frees large tensors to the system and so clears every page anew in each step; it is faster without.
_KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40)}
_BACKENDS = Path(".venv-backends/bin/python")


class Bench:
    """One run of the benchmark.

    Args:
        options: of the program.
    """

    def __init__(self, options):
        self.options, self.quick = options, options.quick
        self.rounds, self.seconds = (3, 0.2) if options.quick else (5, 2.0)
        self._children: dict[str, Child] = {}
        self.matrix_rate: Callable[[str], float] = cache(self._matrix_rate)

    def child(self, module: str, python: str = "", **environment: str) -> Child:
        """The process that serves a module; started at first, kept until `end`."""
        if module not in self._children:
            self._children[module] = Child(module, python or sys.executable, environment)
        return self._children[module]

    def ours(self) -> Child:
        return self.child(OURS)

    def pytorch(self) -> Child:
        """The rival's process.

        Raises:
            Failed: PyTorch is not installed.
        """
        python = self.options.torch_python or (str(_BACKENDS.absolute()) if _BACKENDS.exists() else "")
        if not python and find_spec("torch") is None:
            raise Failed("PyTorch not installed")
        try:
            child = self.child(PYTORCH, python, **_KEEP_MEMORY)
            child.facts("describe")
        except (Failed, OSError) as error:
            self.end(PYTORCH)
            raise Failed(
                "PyTorch not installed" if "No module named" in str(error) else str(error)
            ) from error
        return child

    def fastest(self, task: str, **arguments) -> tuple[Run | None, str]:
        """The fastest variant of a PyTorch task and what to call it, or None and why."""
        tried: dict[str, tuple[float, Run]] = {}
        complaints = []
        try:
            variants = self.pytorch().facts("describe")["variants"]
        except Failed as error:
            return None, str(error)
        for variant in variants[:2] if self.quick else variants:
            try:
                run = self.pytorch().prepare(task, variant=variant, **arguments)[0][task]
                run(2)
                times = max(1, round(self.seconds / 2 / run(1)))
                tried[variant] = run(times) / times, run
            except Failed as error:
                complaints.append(f"PyTorch {variant}: {error}")
        if not tried:
            return None, "; ".join(complaints)
        best = min(tried, key=lambda variant: tried[variant][0])
        return tried[best][1], f"PyTorch {best}" + "".join(f"; {each}" for each in complaints)

    def precision(self) -> str:
        """What `--precision auto` means here."""
        return self.ours().facts("describe")["precision"]

    def _matrix_rate(self, precision: str) -> float:
        return self.ours().facts("matrix rate", precision=precision, seconds=3 * self.seconds)["rate"]

    def copy_rate(self) -> float:
        return self.ours().facts("copy rate", seconds=self.seconds)["rate"]

    def end(self, *modules: str) -> None:
        """Ends processes, all if none is named."""
        for module in modules or list(self._children):
            if module in self._children:
                self._children.pop(module).close()

    def forget(self) -> None:
        """Frees what the processes hold; one that cannot is ended."""
        for module, child in list(self._children.items()):
            try:
                child.forget()
            except Failed:
                self.end(module)


def environment(**others: str) -> dict[str, str]:
    """Of a program of the project that is run from another folder."""
    from experiments.benchmark.child import REPOSITORY

    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    return {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONPATH": path, **others}
