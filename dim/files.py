"""Files that are whole or absent at any moment, and the one door for what is read back from them."""

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dim.errors import DimError
from dim.form import check

UNFINISHED = "unfinished-"
"""Begins the name of what is still being written."""
_REMEDY = "put a good copy there, or remove it"


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


def read_json(file: Path, form: Any, remedy: str = _REMEDY) -> Any:
    """What a JSON file holds.

    Args:
        file: to be read.
        form: that the content must have, as `dim.form.check` describes it.
        remedy: what to do where it has not.

    Raises:
        DimError: it cannot be read, is no JSON, or has another form.
    """
    try:
        content = json.loads(_text(file))
        check(content, form)
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(file, error, remedy) from error
    return content


def read_table(file: Path, *names: str, remedy: str = _REMEDY) -> list[dict[str, str]]:
    """The rows of a CSV file, cells that a row lacks being empty.

    A spreadsheet may have saved it: with a mark at its beginning, in UTF-16, and with semicolons or tabs
    between the cells.

    Args:
        file: to be read.
        names: of columns that it must have.
        remedy: what to do where it has not.

    Raises:
        DimError: it cannot be read, is no such table, or lacks a column.
    """
    try:
        text = _text(file)
        head = text.partition("\n")[0]
        separator = max(",;\t", key=head.count)
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restval="")
        rows = list(reader)
        if missing := [name for name in names if name not in (reader.fieldnames or [])]:
            raise ValueError(f"there is no column {missing[0]!r}")
        if long := [row for row in rows if None in row]:
            raise ValueError(f"a row has {len(long[0][None])} cells more than the first")
    except (OSError, ValueError, csv.Error) as error:
        raise _unusable(file, error, remedy) from error
    return rows


def _text(file: Path) -> str:
    if file.exists() and not file.is_file():
        raise ValueError("it is no file")  # a pipe would keep its reader waiting
    content = file.read_bytes()
    return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")


def _unusable(file: Path, error: Exception, remedy: str) -> DimError:
    reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())[:120]
    return DimError(f"{file} cannot be used ({reason}); {remedy}")


def _reach_the_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
