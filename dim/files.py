"""Files and folders that are whole or absent at any moment."""

import os
from collections.abc import Callable
from pathlib import Path

UNFINISHED = "unfinished-"
"""Begins the name of what is still being written."""


def replace(file: Path, write: Callable[[Path], object]) -> None:
    """At any moment the old or the new content is whole on disk, after a loss of power too.

    Args:
        file: to be replaced.
        write: writes the new content to the path that it is given.

    Raises:
        OSError: it cannot be written; the old content is still there.
    """
    unfinished = file.with_name(UNFINISHED + file.name)
    try:
        write(unfinished)
        _reach_the_disk(unfinished)
        unfinished.replace(file)
        _reach_the_disk(file.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _reach_the_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
