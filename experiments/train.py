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
    devices: int = 0
    """How many devices of this host share the work, on JAX; 0 takes all of them."""
    hosts: str = ""
    """Hosts that train together, on JAX: host0:port,host1:port,… Each starts the same command with its own
    --host. Slurm, Kubernetes and TPU pods say it without."""
    host: int | None = None
    """Which of --hosts this one is, the first being 0, which alone writes the run."""


def train(options: Options) -> None:
    """Starts a run, goes on with it, or finds it complete; then says how good the codes are, and what next.

    Raises:
        DimError: the data, the configuration or the run folder cannot be used, the loss diverged, devices or
            hosts are not there, or another host ended.
    """
    where = {"devices": options.devices, "hosts": options.hosts, "host": options.host}
    run = fit.train(options.configuration, run=options.run, **where)
    if run is None:  # another host has it
        return
    after = f"make knn RUN={shlex.quote(run.name)}    make tensorboard    everything is in {run.path}/"
    print("\nnext: " + printable(after))


if __name__ == "__main__":
    command_line.run(train, Options, __doc__)
