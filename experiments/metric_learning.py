"""Metric learning against Deep InfoMax: the same encoder and images, with labels and without.

Trains as `compare` does, in the same folder, so that neither trains what the other has; then compares
codes of the validation images by retrieval and verification. Writes metric-learning.md,
metric-learning.csv and roc.png into OUT.
"""

from dataclasses import dataclass

from dim.files import typed_path
from experiments import command_line
from experiments.compare.table import publish
from experiments.compare.training import Options as Training
from experiments.compare.training import Preset, trained
from experiments.compare.verification import caption, markdown, measure, plot, table

_PRESETS = "dim", "two-view", "supervised", "metric-contrastive", "metric-triplet", "metric-supcon"


@dataclass(frozen=True)
class Options(Training):
    """Options of `metric_learning`."""

    presets: tuple[Preset, ...] = _PRESETS
    """Which to compare."""
    pairs: int = 10_000
    """Same pairs of validation images, and as many different ones; fewer where there are fewer."""


def metric_learning(options: Options) -> None:
    """Trains what is not complete, then writes the table and the figure."""
    entries = trained(options)
    complete = [entry for entry in entries if not entry.failure]

    command_line.import_keras()
    measured = measure(complete, options.pairs)
    rows = table(measured, {entry.preset: entry.configuration.needs_labels for entry in complete})
    text = f"{markdown(rows)}\n{caption(complete, options.epochs, options.pairs)}\n"
    text += "".join(f"\n{e.name} failed: {e.failure}\n" for e in entries if e.failure)
    publish(typed_path(options.out), "metric-learning", text, rows, plot(measured), "roc.png")


if __name__ == "__main__":
    command_line.run(metric_learning, Options, __doc__)
