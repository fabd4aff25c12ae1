"""What all programs share: options from a dataclass, mistakes in one line, a clean Ctrl-C."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from difflib import get_close_matches

import tyro

from dim.configuration import Configuration
from dim.errors import DimError
from dim.names import printable
from dim.presets import PRESETS
from experiments import terminal

_LONGEST = 4000  # letters of an error
_BROKEN_PIPE = 141  # the status of a program that SIGPIPE ends


def run(program: Callable[..., None], options: type, description: str) -> None:
    """Calls a program with an instance of its options, filled in from the command line.

    Options that have a `configuration` take its defaults from the preset that the command line names.
    A mistake of the user's ends the program with one line and status 1, Ctrl-C with status 130. Where
    nobody reads what it prints to the end, it does its work all the same, and has status 141.
    """
    terminal.protect()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # or TensorFlow's start-up drowns the first line
    try:
        _refuse_unknown(options)
        default = options(configuration=_preset()) if "configuration" in options.__annotations__ else None
        program(
            tyro.cli(
                options,
                prog=f"python -m experiments.{program.__name__}",
                default=default,
                description=description,
                config=(tyro.conf.OmitArgPrefixes,),
            )
        )
        if failure := terminal.failure():
            if isinstance(failure, BrokenPipeError):
                sys.exit(_BROKEN_PIPE)
            raise DimError(f"not all could be printed: {failure.strerror}; make room, or print elsewhere")
    except (DimError, OSError) as error:
        sys.exit(f"error: {printable(error)[:_LONGEST]}")
    except KeyboardInterrupt:
        sys.exit(130)


def _refuse_unknown(options: type) -> None:
    """tyro would say so in a box of eight lines.

    Raises:
        DimError: an option of the command line does not exist.
    """
    kinds = [options, *(kind for kind in options.__annotations__.values() if is_dataclass(kind))]
    known = ["--help", *("--" + f.name.replace("_", "-") for kind in kinds for f in fields(kind))]
    for word in sys.argv[1:]:
        option = word.partition("=")[0].replace("_", "-")
        if option.startswith("--") and option not in known:
            near = get_close_matches(option, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise DimError(f"no option {option}; {hint}--help lists them all")


def import_keras() -> None:
    """Imports Keras and its backend without the messages that TensorFlow's libraries print meanwhile.

    They come from compiled code before any log level is read. If the import fails they are shown.
    """
    with tempfile.TemporaryFile() as messages:
        stderr = os.dup(2)
        try:
            os.dup2(messages.fileno(), 2)
            import keras  # noqa: F401
        except BaseException:
            messages.seek(0)
            os.write(stderr, messages.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _preset() -> Configuration:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", default="dim")
    name = parser.parse_known_args()[0].preset
    if name not in PRESETS:
        near = get_close_matches(name, PRESETS, n=1, cutoff=0.3)
        hint = f"did you mean {near[0]}? " if near else ""
        raise DimError(f"no preset {name!r}; {hint}there are: {', '.join(PRESETS)}")
    return PRESETS[name]()
