"""What all programs share: options from a dataclass, mistakes in one line, a clean Ctrl-C."""

import argparse
import errno
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import tyro

from dim.backend import import_keras
from dim.configuration import MOST_SEED, Configuration
from dim.errors import DimError
from dim.memory import exhausted
from dim.names import did_you_mean, printable
from dim.presets import PRESETS
from experiments import terminal
from experiments.words import check

__all__ = ["import_keras", "nothing_to_lose", "run"]

_ENDINGS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_LONGEST = 4000  # letters of an error
_BROKEN_PIPE = 141  # the status of a program that SIGPIPE ends
_ROOM = "make room there and run the same command again"
_RIGHTS = "change its permissions, or choose another place"
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "files of that size are not allowed here, see ulimit -f",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: _RIGHTS,
    errno.EMFILE: "too few files may be open, see ulimit -n",
}
_received: list[int] = []  # numbers of the signals that asked to end


def run(program: Callable[..., None], options: type, description: str) -> None:
    """Calls a program with an instance of its options, filled in from the command line.

    Options that have a `configuration` take its defaults from the preset that the command line names.
    A mistake of the user's ends the program with one line and status 1, as do a full disk and a lack of
    memory; Ctrl-C, SIGTERM and a closed terminal end it with status 128 and their number. Where nobody reads
    what it prints to the end, it does its work all the same, and has status 141.
    """
    terminal.protect()
    try:
        _listen()
        program(_options(program.__name__, options, description))
        if failure := terminal.failure():
            if isinstance(failure, BrokenPipeError):
                sys.exit(_BROKEN_PIPE)
            raise DimError(f"not all could be printed: {failure.strerror}; make room, or print elsewhere")
    except KeyboardInterrupt as interruption:
        _end_by(interruption.args[0] if interruption.args else signal.SIGINT)
    except (DimError, OSError) as error:
        sys.exit(f"error: {printable(_in_words(error))[:_LONGEST]}")
    except Exception as error:
        if _received:  # a library made an error of its own of the interruption
            _end_by(_received[0])
        if not exhausted(error):
            raise
        said = " ".join(re.sub(r"\{\{.*?\}\}", "", str(error)).split())  # without names of nodes
        what = printable(said[:100]) or type(error).__name__
        remedy = "try a smaller --batch-size, --code-size or --image-size"
        sys.exit(f"error: not enough memory ({what}); {remedy}")


@contextmanager
def nothing_to_lose() -> Iterator[None]:
    """While it lasts Ctrl-C ends the process at once, even inside of a long computation by a library."""
    ours = [number for number in _ENDINGS if signal.getsignal(number) is _interrupt]
    try:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
        yield
    finally:
        for number in ours:
            signal.signal(number, _interrupt)


def _options(name: str, options: type, description: str):
    check(sys.argv[1:], options)
    filled = tyro.cli(
        options,
        prog=f"python -m {_module(name)}",
        default=options(configuration=_preset()) if "configuration" in options.__annotations__ else None,
        description=description,
        config=(tyro.conf.OmitArgPrefixes,),
    )
    for seed in (getattr(filled, "seed", 0), *getattr(filled, "seeds", ())):
        if not 0 <= seed <= MOST_SEED:
            raise DimError(f"a seed must be at least 0 and at most {MOST_SEED:,}, not {seed}")
    return filled


def _module(name: str) -> str:
    """By which the program was started; the name is that of its function."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    started = spec.name.removesuffix(".__main__") if spec else ""
    return started if started.startswith("experiments.") else f"experiments.{name}"


def _preset() -> Configuration:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", default="dim")
    name = parser.parse_known_args()[0].preset
    if name not in PRESETS:
        hint = did_you_mean(name, PRESETS, cutoff=0.3)
        raise DimError(f"no preset {name!r}; {hint}there are: {', '.join(PRESETS)}")
    return PRESETS[name]()


def _listen() -> None:
    """Makes an exception of the signals that ask to end, unless whoever started us wants them ignored."""
    for number in _ENDINGS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _interrupt)


def _interrupt(number, frame):
    _received.append(number)
    raise KeyboardInterrupt(number)


def _end_by(number: int) -> None:
    for ending in _ENDINGS:
        with suppress(ValueError):
            signal.signal(ending, signal.SIG_DFL)  # whoever asks again need not wait
    sys.exit(128 + number)


def _in_words(error: Exception) -> str:
    """What was wrong where, and what to do about it."""
    if isinstance(error, DimError):
        return str(error)
    if not error.strerror:
        return " ".join(str(error).split())
    where = f"{error.filename}: " if error.filename is not None else ""
    return "; ".join(filter(None, [f"{where}{error.strerror}", _REMEDIES.get(error.errno)]))
