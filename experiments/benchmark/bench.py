"""What the rows share: the processes, how long to measure, and the limit of the machine."""

import sys
from functools import cache
from pathlib import Path

from experiments.benchmark.child import Child, Failed, Run
from experiments.benchmark.table import Row, alternate

OURS, PYTORCH = "experiments.benchmark.keras_tasks", "experiments.benchmark.torch_step"
# PyTorch frees large tensors to the system and so clears every page anew in each step; it is faster without.
_KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40)}
_BACKENDS = Path(".venv-backends/bin/python")


class Bench:
    """One run of the benchmark, by the program's options."""

    def __init__(self, options):
        self.options, self.quick = options, options.quick
        self.rounds, self.seconds = (3, 0.2) if options.quick else (5, 2.0)
        self.matrix_rate = cache(self._matrix_rate)
        self._children: dict[str, Child] = {}

    def prepare(self, module: str, task: str, **arguments) -> tuple[dict[str, Run], dict]:
        """As `Child.prepare`. The process that serves a module is started at first, and kept until `end`."""
        if module not in self._children:
            own = str(_BACKENDS.absolute()) if _BACKENDS.exists() else sys.executable
            rival = {"python": self.options.torch_python or own, **_KEEP_MEMORY}
            self._children[module] = Child(module, **(rival if module == PYTORCH else {}))
        return self._children[module].prepare(task, **arguments)

    def device(self) -> dict[str, str]:
        """What ours runs on: `processor`, `device`, and what `--precision auto` means there."""
        return self.prepare(OURS, "describe")[1]

    def pytorch(self) -> tuple[str, list[str]]:
        """The rival's version and its variants; or why it is not there, and none."""
        try:
            facts = self.prepare(PYTORCH, "describe")[1]
            return facts["version"], facts["variants"]
        except (Failed, OSError) as error:
            self.end(PYTORCH)
            return "PyTorch not installed" if "No module named" in str(error) else str(error), []

    def fastest(self, task: str, **arguments) -> tuple[Run | None, str]:
        """The fastest variant of a PyTorch task and what to call it, or None and why."""
        (version, variants), tried, complaints = self.pytorch(), {}, []
        for variant in variants[:2] if self.quick else variants:
            try:
                run = self.prepare(PYTORCH, task, variant=variant, **arguments)[0][task]
                run(2)
                times = max(1, round(self.seconds / 2 / run(1)))
                tried[run(times) / times] = run, f"PyTorch {variant}"
            except Failed as error:
                complaints.append(f"PyTorch {variant}: {error}")
        if not tried:
            return None, "; ".join(complaints) or version
        run, name = tried[min(tried)]
        return run, "; ".join([name, *complaints])

    def rates(self, amount: int, **runs: Run | None) -> dict[str, list[float]]:
        """Of sides that each do the same amount, in turn; those that are None are left out."""
        sides = {name: (run, amount) for name, run in runs.items() if run}
        return alternate(sides, self.rounds, self.seconds)

    def against_limit(self, what: str, amount: int, task: str, has_rival: bool = True, **arguments) -> Row:
        """A task of ours beside the rival's, and the images a second at the matrix rate of its precision."""
        rival, name = self.fastest(task, **arguments) if has_rival else (None, "none")
        rate = self.matrix_rate(arguments["precision"])
        runs, facts = self.prepare(OURS, task, **arguments)
        note = f"{facts['operations'] / 1e9:.3g} GFLOP an image; limit from {rate / 1e12:.3g} TFLOP/s"
        rates = self.rates(amount, ours=runs[task], rival=rival)
        return Row.of_rates(what, "images/s", rates, name, limit=rate / facts["operations"], note=note)

    def _matrix_rate(self, precision: str) -> float:
        """Operations a second in the best product of square matrices."""
        runs, _ = self.prepare(OURS, "products", precision=precision)
        sides = {size: (run, 2 * int(size) ** 3) for size, run in runs.items()}
        return max(map(max, alternate(sides, 3, self.seconds / 2).values()))

    def end(self, *modules: str) -> None:
        """Ends processes, all if none is named."""
        for module in set(modules or self._children) & set(self._children):
            self._children.pop(module).close()

    def forget(self) -> None:
        """Frees what the processes hold; one that cannot is ended."""
        for module, child in list(self._children.items()):
            try:
                child.forget()
            except Failed:
                self.end(module)
