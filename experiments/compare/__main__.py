"""Trains presets at an equal budget and writes one table and one plot of what came of them.

Every run is the plain `experiments.train` in the folder OUT/PRESET-seedSEED, and what it prints goes to
OUT/PRESET-seedSEED.log. The same command again skips what is complete and goes on with the rest. Beside
the presets stand raw pixels and each encoder untrained, calibrated, with seeds 0 to 9. Writes compare.md,
compare.csv and compare.png into OUT.
"""

from dim.files import typed_path
from experiments import command_line
from experiments.compare.plot import plot
from experiments.compare.table import header, markdown, publish, table
from experiments.compare.training import Options, trained
from experiments.compare.untrained import untrained


def compare(options: Options) -> None:
    """Trains what is not complete, then writes the table and the plot."""
    entries, out = trained(options), typed_path(options.out)
    complete = [entry for entry in entries if not entry.failure]
    rows = table(entries, untrained(complete, out))
    text = f"{header(complete, options.epochs)}\n\n{markdown(rows)}"
    publish(out, "compare", text, rows, plot(complete, rows), "compare.png")


if __name__ == "__main__":
    command_line.run(compare, Options, __doc__)
