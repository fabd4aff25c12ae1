"""Files and folders that are whole or absent at any moment, and the one door for what is read back."""

import csv
import errno
import io
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from dim.errors import DimError
from dim.form import check

try:
    import fcntl
except ImportError:  # Windows knows no such locks
    fcntl = None

UNFINISHED = "unfinished-"  # begins the name of what is still being written
_REMEDY = "put a good copy there, or remove it"
_ROOM = 10_000_000  # bytes, enough for pictures and tables


def typed_path(text: str | Path) -> Path:
    """A path as somebody typed it: a leading `~` is the home folder, DimError if nobody's; `./~` is not."""
    if not str(text).startswith("~"):
        return Path(text)
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise DimError(f"{text} begins with nobody's home folder; write the path out, or ./{text}") from error


def replace(file: Path, write: Callable[[Path], object]) -> None:
    """At any moment the old or the new content of the file is whole on disk, after a loss of power too.

    `write` writes the new content to the path that it is given. What it raises is raised, and OSError where
    it cannot be written; the old content is still there then.
    """
    unfinished = file.with_name(UNFINISHED + file.name)
    try:
        write(unfinished)
        _reach_the_disk(unfinished)
        unfinished.replace(file)
        _reach_the_disk(file.parent)
    except BaseException as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename is None:  # as of a full disk
            error.filename = str(file)
        raise


def read_json(file: Path, form: Any, remedy: str = _REMEDY) -> Any:
    """What a JSON file holds, in the form that it must have, as `dim.form.check` describes it.

    Raises DimError if it cannot be read, is no JSON, or has another form; the remedy is what to do then.
    """
    try:
        content = json.loads(_text(file))
        check(content, form)
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(file, error, remedy) from error
    return content


def read_table(file: Path, *names: str, remedy: str = _REMEDY) -> list[dict[str, str]]:
    """The rows of a CSV file with columns of such names at least, cells that a row lacks being empty.

    A spreadsheet may have saved it: with a mark at its beginning, in UTF-16, and with semicolons or tabs
    between the cells. Raises DimError if it cannot be read, is no such table, or lacks a column; the remedy
    is what to do then.
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


def is_blameless(error: Exception) -> bool:
    """Whether a file could not be opened only because this process, or the system, has too many open."""
    return isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)


def _unusable(file: Path, error: Exception, remedy: str) -> Exception:
    if is_blameless(error):
        return error
    reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())[:120]
    return DimError(f"{file} cannot be used ({reason}); {remedy}")


def replace_folder(folder: Path, unfinished: Path) -> None:
    """Puts a complete folder, beside an older one, in its place, with everything in it on the disk.

    The older one makes room by a new name, by which `recover_folder` finds it if the process ends just then.
    """
    for path in (*unfinished.rglob("*"), unfinished):
        _reach_the_disk(path)
    former = _former(folder)
    shutil.rmtree(former, ignore_errors=True)
    if folder.exists():
        folder.rename(former)
    unfinished.rename(folder)
    _reach_the_disk(folder.parent)
    shutil.rmtree(former, ignore_errors=True)


def recover_folder(folder: Path) -> None:
    """Puts a folder back that was being replaced when a process ended."""
    if not folder.exists() and _former(folder).exists():
        _former(folder).rename(folder)


def _former(folder: Path) -> Path:
    return folder.with_name(f"{UNFINISHED}former-{folder.name}")


def check_writable(folder: Path) -> None:
    """Asks before the work if its results can be written; DimError if not, or if the disk is nearly full."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        raise DimError(f"{folder} cannot be written to ({error.strerror}); make it writable first") from error
    if free < _ROOM:
        room = f"{free / 1e6:.1f} MB are free for {folder}, {_ROOM / 1e6:.0f} are wanted"
        raise DimError(f"{room}; make room first")


@contextmanager
def exclusive(file: Path, what: str) -> Iterator[None]:
    """Keeps other processes from doing the same at the same time. The lock ends with the process.

    Where the file system has no locks nobody is kept out. The file is there meanwhile, and says who holds
    it. Raises DimError if another process does it; `what` is being done, for the message.
    """
    descriptor = _locked(file, what)
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink()
        os.close(descriptor)


def lock(descriptor: int, wait: bool = False) -> None:
    """Locks an open file or folder until it is closed or the process ends; nothing where there are no locks.

    Raises BlockingIOError if another process has it locked, and nobody wants to wait.
    """
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _locked(file: Path, what: str) -> int:
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            lock(descriptor)
        except BlockingIOError as error:
            holder = os.read(descriptor, 200).decode("utf8", "replace") or "another process"
            os.close(descriptor)
            raise DimError(f"{what} by {holder}; wait for it, or stop it") from error
        except OSError:  # no locks here
            return descriptor
        if os.fstat(descriptor).st_nlink:  # or its last holder has just removed it
            since = datetime.now().strftime("%H:%M")
            with suppress(OSError):  # a full disk keeps nobody's lock
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"process {os.getpid()} of {platform.node()} since {since}".encode())
            return descriptor
        os.close(descriptor)


def _reach_the_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
