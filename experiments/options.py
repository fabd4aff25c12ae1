"""Options that programs have in common."""

from dataclasses import dataclass

from dim.configuration import Configuration
from dim.files import check_writable
from dim.training.run import Run


@dataclass(frozen=True)
class OfRun:
    """Of a program that works on a run."""

    run: str = ""
    """Name of the folder in runs/ (or a path); by default the run trained last."""

    def opened(self) -> tuple[Run, Configuration]:
        """The run and what it was started with; DimError if it is none, or cannot be written to."""
        run = Run.chosen(self.run)
        configuration = run.configuration()
        check_writable(run.path)
        return run, configuration


@dataclass(frozen=True)
class OfIndex(OfRun):
    """Of a program that works on an index of a run."""

    data: str = ""
    """Name or path of the indexed data set; by default the one indexed last."""
