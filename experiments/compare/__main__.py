"""Trains presets at an equal budget and writes one table and one plot of what came of them.

Every run is the plain `experiments.train` in the folder OUT/PRESET-seedSEED, and what it prints goes to
OUT/PRESET-seedSEED.log. The same command again skips what is complete and goes on with the rest. Beside
the presets stand raw pixels and each encoder untrained, calibrated, with seeds 0 to 9. Writes compare.md,
compare.csv and compare.png into OUT.
"""

import csv
from dataclasses import dataclass

from dim.files import replace, typed_path
from dim.names import printable
from dim.presets import PRESETS
from experiments import command_line
from experiments.compare.plot import plot
from experiments.compare.table import header, markdown, table
from experiments.compare.training import trained
from experiments.compare.untrained import untrained


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
    tune: bool = False
    """For making choices: compare on a tenth held out of the training images, and never look at the
    validation images. Takes an --out of its own."""
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
    complete, out = [entry for entry in entries if not entry.failure], typed_path(options.out)
    rows = table(entries, untrained(complete, out))
    text = f"{header(complete, options.epochs)}\n\n{markdown(rows)}"
    replace(out / "compare.md", lambda file: file.write_text(text, "utf8"))
    with (out / "compare.csv").open("w", newline="", encoding="utf8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    replace(out / "compare.png", plot(complete, rows).savefig)
    written = "  ".join(printable(out / f"compare.{kind}") for kind in ("md", "csv", "png"))
    print(f"\n{text}\n{written}")


if __name__ == "__main__":
    command_line.run(compare, Options, __doc__)
