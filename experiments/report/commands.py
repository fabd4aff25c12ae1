"""Command lines that do again what was done, with every option that differs from its default."""

import shlex
from dataclasses import fields

from dim.configuration import Configuration
from dim.presets import PRESETS
from dim.training.run import Run


def train_command(run: Run, configuration: Configuration) -> str:
    """Trains the run from the start; or, where it is, goes on with it."""
    preset = PRESETS.get(configuration.preset, Configuration)()
    shown = ["--preset", configuration.preset, "--data", configuration.data]
    shown += ["--epochs", str(configuration.epochs)]
    others = _differences(configuration, preset, without=("preset", "data", "epochs"))
    return shlex.join(["python", "-m", "experiments.train", "--run", run.name, *shown, *others])


def program_command(name: str, run: Run, options) -> str:
    """Runs one of the other programs.

    Args:
        name: of the program in `experiments`.
        run: of which run.
        options: an instance of the program's options; its own `run` does not count.
    """
    others = _differences(options, type(options)(), without=("run",))
    return shlex.join(["python", "-m", f"experiments.{name}", "--run", run.name, *others])


def _differences(options, defaults, without: tuple[str, ...]) -> list[str]:
    words = []
    for name in (field.name for field in fields(options) if field.name not in without):
        value = getattr(options, name)
        if value != getattr(defaults, name):
            words.append("--" + name.replace("_", "-"))
            if isinstance(value, tuple):
                words += map(str, value)
            elif not isinstance(value, bool):
                words.append(str(value))
    return words
