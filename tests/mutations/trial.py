"""Tests on a copy of the code, in a process that starts with Keras already imported."""

import os
import re
import shlex
import shutil
import signal
import sys
import time
from importlib.util import cache_from_source
from multiprocessing import forkserver, get_context
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[2]
_COPIED = (
    "dim",
    "experiments",
    "tests",
    "docs",
    "Makefile",
    "README.md",
    "pyproject.toml",
    "requirements.txt",
)
_LINKED = ".venv"
_PRELOADED = [
    "keras",
    "pytest",
    "hypothesis",
    "faiss",
    "pyarrow.parquet",
    "matplotlib.figure",
    "tensorboardX",
    "imageio.v3",
    "sklearn.model_selection",
    "sklearn.svm",
    "sklearn.cluster",
    "scipy.stats",
]

_processes = get_context("forkserver")


class Outcome(NamedTuple):
    """How tests ended: `passed`, `failed`, `broken` (they could not begin) or `timeout`."""

    ended: str
    by: str
    seconds: float


def start_server() -> None:
    """Starts what all tests are forked from, with Keras imported: that is half of most tests' time."""
    _processes.set_forkserver_preload(_PRELOADED)
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)  # TensorFlow's libraries say hello
        forkserver.ensure_running()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


def copy_repository(folder: Path) -> Path:
    """Puts all that tests need into a new folder, and returns it."""
    folder.mkdir()
    for name in _COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, folder / name)
    if (REPOSITORY / _LINKED).exists():  # or `make` would install one in the copy
        (folder / _LINKED).symlink_to((REPOSITORY / _LINKED).resolve())
    return folder


def write_code(file: Path, text: str) -> None:
    """Replaces code, and what was compiled of it: an edit of the same length and second would be missed."""
    file.write_text(text, "utf8")
    Path(cache_from_source(str(file))).unlink(missing_ok=True)


def run_tests(copy: Path, tests: str, limit: float) -> Outcome:
    """Runs test files until the first fails.

    Args:
        copy: of the repository.
        tests: what pytest is told, such as files.
        limit: in seconds, after which they and all that they started are killed.
    """
    printed = copy / "printed.txt"
    process, started = _processes.Process(target=_in_copy, args=(copy, tests, printed)), time.monotonic()
    process.start()
    try:
        process.join(limit)
    finally:
        if late := process.is_alive():
            _kill(process)
    seconds = time.monotonic() - started
    ended = "timeout" if late else {0: "passed", 1: "failed"}.get(process.exitcode, "broken")
    return Outcome(ended, _culprit(printed), seconds)


def _kill(process) -> None:
    """With all that it started, which are of its session."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # it has no session of its own yet
        process.kill()
    process.join()


def _in_copy(copy: Path, tests: str, printed: Path) -> None:
    os.setsid()
    with printed.open("w") as file:
        for stream in 1, 2:
            os.dup2(file.fileno(), stream)
    os.chdir(copy)
    ours = REPOSITORY, Path(__file__).parent
    sys.path[:] = [place for place in sys.path if place and Path(place).resolve() not in ours]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # none is needed, and they take a second

    import pytest

    sys.exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--slow", *shlex.split(tests)])))


def _culprit(printed: Path) -> str:
    """The first test that failed, without its folders and parameters, or else the last line."""
    text = printed.read_text("utf8", "replace") if printed.exists() else ""
    found = re.search(r"^(?:FAILED|ERROR) (?:\S*/)?([^\s[]+)", text, re.MULTILINE)
    return found[1] if found else "".join(text.splitlines()[-1:])
