"""Command lines that do again what was done, with every option that differs from its default."""

import shlex

from dim.configuration import Configuration
from dim.presets import PRESETS
from dim.training.run import Run

_SHOWN = "preset", "data", "epochs"  # of a training, whatever they are


def train_command(run: Run, configuration: Configuration) -> str:
    """Trains the run from the start; or, where it is, goes on with it."""
    preset = PRESETS.get(configuration.preset, Configuration)()
    shown = [word for name in _SHOWN for word in (f"--{name}", str(getattr(configuration, name)))]
    others = _differences(configuration, preset, without=_SHOWN)
    return shlex.join(["python", "-m", "experiments.train", "--run", run.name, *shown, *others])


def program_command(name: str, run: Run, options) -> str:
    """Runs one of the other programs on a run, by its options but their own `run`."""
    others = _differences(options, type(options)(), without=("run",))
    return shlex.join(["python", "-m", f"experiments.{name}", "--run", run.name, *others])


def _differences(options, defaults, without: tuple[str, ...]) -> list[str]:
    words = []
    for name, value in vars(options).items():
        if name not in without and value != getattr(defaults, name):
            words.append("--" + name.replace("_", "-"))
            if isinstance(value, tuple):
                words += map(str, value)
            elif not isinstance(value, bool):
                words.append(str(value))
    return words
