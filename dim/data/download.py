"""Fetches archives: resumes, checks, unpacks, and never leaves half of anything behind."""

import hashlib
import http.client
import shutil
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from tqdm import tqdm

from dim.errors import DimError

URL = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
SIZE = 248_100_043
MD5 = "90528d7ca1a48142e341f4ef8d21d0de"
_CHUNK = 2**18


def download_tiny_imagenet(folder: Path, url: str = URL, size: int = SIZE, md5: str = MD5) -> Path:
    """Downloads the archive into a folder and unpacks it there, into the folder that it returns."""
    return download(url, folder / "tiny-imagenet-200.zip", size, md5, unpacked="tiny-imagenet-200")


def download(url: str, archive: Path, size: int | None = None, md5: str = "", unpacked: str = "") -> Path:
    """Downloads an archive, and unpacks a zip into the folder beside it that it has inside.

    What is already there is not done again, and an interrupted download goes on where it stopped, if the
    server allows it.

    Args:
        url, archive: from where, and the file to write.
        size, md5: of the official file, in bytes and hexadecimal digits; what is not known is not checked.
        unpacked: name of the folder inside; without one the zip stays as it is.

    Returns the folder, or without one the archive. Raises DimError if the server does not answer, the disk
    is full, or the file is not the official one.
    """
    folder = archive.parent
    target = folder / unpacked if unpacked else archive
    if target.exists():
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not archive.exists():
            partial = archive.with_name(f"{archive.name}.part")
            _check(partial, _download(url, partial, size), md5)
            partial.rename(archive)
        if unpacked:
            _unpack(archive, target)
    except urllib.error.URLError as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        remedy = f"run make data again to go on, or put the file into {folder}"
        raise DimError(f"{url}: {error.reason}; {remedy}") from error
    except (OSError, http.client.HTTPException) as error:
        reason = str(getattr(error, "strerror", None) or error).strip()
        raise DimError(f"{folder}: {reason}; run make data again to go on") from error
    return target


def _download(url: str, partial: Path, size: int | None) -> int | None:
    """Fetches what is missing, and returns the size of the whole, if that or the server's is known."""
    done = partial.stat().st_size if partial.exists() else 0
    if size is not None and done >= size:
        return size
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        response = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        error.close()
        return done  # the server has no more
    with response:
        if response.status != 206:  # the server starts from the beginning
            done = 0
        if response.length is not None:
            announced = done + response.length
            if size not in (None, announced):  # before anything is overwritten
                lengths = f"{announced:,} bytes, the official archive {size:,}"
                raise DimError(f"{url} has {lengths}; put that one into {partial.parent}")
            size = announced
        shown = {"desc": f"downloading {partial.stem}", "unit": "B", "unit_scale": True}
        with partial.open("ab" if done else "wb") as file, tqdm(total=size, initial=done, **shown) as bar:
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    return size


def _check(partial: Path, size: int | None, md5: str) -> None:
    found = partial.stat().st_size
    if size is not None and found < size:
        raise DimError(f"{partial} ends after {found:,} of {size:,} bytes; run make data again to go on")
    with partial.open("rb") as file:
        digest = hashlib.file_digest(file, "md5").hexdigest()
    if size not in (None, found) or md5 not in ("", digest):
        partial.unlink()
        official = f"instead of {size or found:,}, {md5 or digest}"
        what = f"({found:,} bytes, md5 {digest}, {official}) and has been removed"
        raise DimError(f"{partial} was not the official archive {what}; run make data again")


def _unpack(archive: Path, unpacked: Path) -> None:
    unfinished, remedy = unpacked.with_name("unpacking").resolve(), "remove it and run make data again"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in tqdm(opened.infolist(), desc="unpacking", unit=" files"):
                if not (unfinished / member.filename).resolve().is_relative_to(unfinished):
                    raise DimError(f"{archive} would unpack {member.filename!r} outside its folder; {remedy}")
                opened.extract(member, unfinished)
        if not (unfinished / unpacked.name).is_dir():
            raise DimError(f"{archive} has no folder {unpacked.name} inside; {remedy}")
        (unfinished / unpacked.name).rename(unpacked)
    except zipfile.BadZipFile as error:
        raise DimError(f"{archive} is damaged ({error}); {remedy}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
