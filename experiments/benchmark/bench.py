"""What the rows share: the processes, how long to measure, and the limit of the machine."""

import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from experiments.benchmark.child import Child, Failed, Run
from experiments.benchmark.table import Row, alternate

OURS, PYTORCH = "experiments.benchmark.keras_tasks", "experiments.benchmark.torch_step"
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
            absent = "No module named" in str(error)
            raise Failed("PyTorch not installed" if absent else str(error)) from error
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
        return tried[best][1], "; ".join([f"PyTorch {best}", *complaints])

    def rates(self, amount: int, **runs: Run | None) -> dict[str, list[float]]:
        """Of sides that each do the same amount, in turn; those that are None are left out."""
        sides = {name: (run, amount) for name, run in runs.items() if run}
        return alternate(sides, self.rounds, self.seconds)

    def against_limit(self, what: str, amount: int, task: str, rival, precision: str, **arguments) -> Row:
        """A task of ours beside the rival (its run and name), and the images a second at the matrix rate."""
        rate, (rival, name) = self.matrix_rate(precision), rival
        runs, facts = self.ours().prepare(task, precision=precision, **arguments)
        note = f"{facts['operations'] / 1e9:.3g} GFLOP an image; limit from {rate / 1e12:.3g} TFLOP/s"
        rates = self.rates(amount, ours=runs[task], rival=rival)
        return Row.of_rates(what, "images/s", rates, name, limit=rate / facts["operations"], note=note)

    def precision(self) -> str:
        """What `--precision auto` means here."""
        return self.ours().facts("describe")["precision"]

    def _matrix_rate(self, precision: str) -> float:
        return self.ours().facts("matrix rate", precision=precision, seconds=3 * self.seconds)["rate"]

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
