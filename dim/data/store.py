"""Images in an object store, or wherever else an address leads: s3://, gs://, hdfs://, file:///.

By Arrow's file systems or, where it knows none of that name, by fsspec's. Credentials come from where those
look for them, as the environment; an address with a password in it is refused, as it would be written down.
"""

import io
import re
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import numpy as np

from dim.data.decode import MOST_BYTES, decode_image, too_large
from dim.errors import DimError
from dim.names import printable

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_SECONDS = 30
_MEND = "see that the address is right, and that credentials for it are there"


class Unreachable(DimError):
    """A store does not answer, which says nothing about an image in it."""


def is_address(where: object) -> bool:
    """Whether data are given by an address, and not as a path."""
    return _ADDRESS.match(str(where)) is not None


def name_of(address: str) -> str:
    """What a data set there is called: the last folder of the address, or the bucket."""
    parts = urlsplit(address)
    return PurePosixPath(parts.path).name or parts.netloc


def inside(address: str, name: str) -> str:
    """The address of an image by its name in the data set."""
    bare, sign, settings = address.partition("?")
    return f"{bare.rstrip('/')}/{name}{sign}{settings}"


def list_images(address: str) -> list[tuple[str, int, int]]:
    """As `dim.data.image_folder.list_images`. Raises DimError if it cannot be listed, or is no folder."""
    from pyarrow import fs

    from dim.data.image_folder import is_image

    system, root = _opened(address)
    try:
        found = system.get_file_info(fs.FileSelector(root, recursive=True))
    except Exception as error:  # as below
        raise DimError(f"cannot list {printable(address)} ({_reason(error)}); {_MEND}") from error
    root, files = root.strip("/"), []
    for each in found:
        name = each.path.strip("/")[len(root) :].lstrip("/")
        *folders, last = name.split("/")
        if each.type == fs.FileType.File and is_image(last) and not any(f.startswith(".") for f in folders):
            files.append((name, each.size, each.mtime_ns or 0))
    return sorted(files)


def stored_bytes(name: str, address: str) -> bytes:
    """An image file by its name. Raises OSError if it is not there, may not be read, or is too large.

    Raises Unreachable if nobody answers.
    """
    if ".." in PurePosixPath(name).parts:
        raise OSError("it is outside of the data")
    system, root = _opened(address)
    try:
        with system.open_input_stream(f"{root.rstrip('/')}/{name}") as file:
            content = file.read(MOST_BYTES + 1)
    except Exception as error:  # of fsspec's file systems each has its own
        of_the_image = isinstance(error, FileNotFoundError | PermissionError) or getattr(error, "errno", None)
        if of_the_image or "ACCESS_DENIED" in str(error):
            raise OSError(_reason(error)) from error
        again = "the same command goes on once it answers"
        where = printable(inside(address, name))
        raise Unreachable(f"cannot read {where} ({_reason(error)}); {again}") from error
    if len(content) > MOST_BYTES:
        raise OSError(too_large(len(content)))
    return content


def decode_stored(name: str, address: str, size: int) -> np.ndarray:
    """`decode_image` of such a file."""
    return decode_image(io.BytesIO(stored_bytes(name, address)), size)


@lru_cache(maxsize=2)
def _opened(address: str):
    """File system and path; DimError if there is none, or it cannot be reached."""
    from pyarrow import fs

    parts = urlsplit(address)
    if parts.password:
        bare = printable(address.replace(f"{parts.username}:{parts.password}@", ""))
        raise DimError(f"an address with a password would be written down; set it in the environment: {bare}")
    if parts.scheme in ("gs", "gcs") and "retry_limit_seconds" not in parts.query:
        address += f"{'&' if parts.query else '?'}retry_limit_seconds={_SECONDS}"  # else a quarter of an hour
    try:
        return fs.FileSystem.from_uri(address)
    except ValueError as error:
        if "Unrecognized filesystem" not in str(error):
            raise DimError(f"cannot open {printable(address)} ({_reason(error)}); {_MEND}") from error
    except OSError as error:
        raise DimError(f"cannot open {printable(address)} ({_reason(error)}); {_MEND}") from error
    return _by_fsspec(address, parts.scheme)


def _by_fsspec(address: str, scheme: str):
    from pyarrow import fs

    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        known = f"Arrow knows no {printable(scheme)}://; pip install fsspec, and what it needs for it"
        raise DimError(known) from error
    try:
        system, path = url_to_fs(address)
    except Exception as error:  # each of its file systems has its own
        raise DimError(f"cannot open {printable(address)} ({_reason(error)}); {_MEND}") from error
    return fs.PyFileSystem(fs.FSSpecHandler(system)), path


def _reason(error: Exception) -> str:
    return printable(" ".join(str(error).split()))[:200]
