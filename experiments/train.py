"""Trains Deep InfoMax on images without labels.

Starting the same run again goes on after its last complete epoch. Validation labels, where there are
any, are only looked at to say how good the codes are.
"""

import shlex
from dataclasses import dataclass

from dim.configuration import Configuration
from dim.names import printable
from dim.training import fit
from experiments import command_line


@dataclass(frozen=True)
class Options:
    """Options of `train`."""

    configuration: Configuration
    """Defaults are those of the preset."""
    run: str = ""
    """Name of the folder in runs/ (or a path); by default made of data set and preset."""


def train(options: Options) -> None:
    """Starts a run, goes on with it, or finds it complete; then says how good the codes are, and what next.

    Raises:
        DimError: the data, the configuration or the run folder cannot be used, or the loss diverged.
    """
    run = fit.train(options.configuration, run=options.run)
    after = f"make knn RUN={shlex.quote(run.name)}    make tensorboard    everything is in {run.path}/"
    print("\nnext: " + printable(after))


if __name__ == "__main__":
    command_line.run(train, Options, __doc__)
