"""Trains presets at an equal budget and writes one table and one plot of what came of them.

Every run is the plain `experiments.train` in the folder OUT/PRESET-seedSEED, and what it prints goes to
OUT/PRESET-seedSEED.log. The same command again skips what is complete and goes on with the rest. Writes
compare.md, compare.csv and compare.png into OUT.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from dim.names import printable
from dim.presets import PRESETS
from experiments import command_line
from experiments.comparisons.plot import plot
from experiments.comparisons.table import header, markdown, table
from experiments.comparisons.training import trained


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
    written = "  ".join(printable(out / f"compare.{kind}") for kind in ("md", "csv", "png"))
    print(f"\n{text}\n{written}")


if __name__ == "__main__":
    command_line.run(compare, Options, __doc__)
