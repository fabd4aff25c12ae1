"""The CSV file of all runs that were evaluated."""

from pathlib import Path

from dim.files import read_table
from dim.names import cell
from experiments.tables import write_csv

_FACTS = ("run", "group", "preset", "seed", "epochs", "prior", "data", "device", "date", "seconds")


def record(file: Path, evaluation: dict) -> Path:
    """Puts the run's line into the file, in place of an older one.

    Columns are the facts of a run and, as `row.metric`, every number measured; a file that other versions
    wrote keeps its columns.
    """
    facts = {name: evaluation[name] for name in _FACTS}
    line = {name: cell(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
    for part in "features", "gauges", "dependence":
        for row, measured in evaluation[part].items():
            numbers = {name: value for name, value in measured.items() if isinstance(value, (int, float))}
            line |= {f"{row}.{name}": f"{value:.6g}" for name, value in numbers.items()}
    write_csv(file, [*(row for row in recorded(file) if row["run"] != line["run"]), line])
    return file


def recorded(file: Path) -> list[dict[str, str]]:
    """The lines of all runs, perhaps saved by a spreadsheet; DimError if the file is something else."""
    return read_table(file, "run", remedy="move it away") if file.exists() else []
