"""MovieLens as published: who rated which film when, and what is known of the films."""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from dim.data.download import download
from dim.errors import DimError
from dim.files import typed_path
from dim.names import printable

ARCHIVE = Path("data/ml-latest-small.zip")
URL = "https://files.grouplens.org/datasets/movielens/ml-latest-small.zip"
_FILES = {
    "movies.csv": ("movieId", "title", "genres"),
    "ratings.csv": ("userId", "movieId", "rating", "timestamp"),
}
_PUBLISHED = "100,836 ratings of 9,742 films by 610 users"  # says the README inside
_YEAR = re.compile(r"\((\d{4})\)\s*$")
_NO_GENRE = "(no genres listed)"
_STARS = 0.5, 5.0


@dataclass(frozen=True)
class Ratings:
    """N ratings of M films by U users; both are counted from 0 on here, in the order of their numbers."""

    name: str
    user: np.ndarray  # [N] int, ascending
    film: np.ndarray  # [N] int
    stars: np.ndarray  # [N] float32, 0.5 to 5
    time: np.ndarray  # [N] int, seconds since 1970
    users: np.ndarray  # [U] int, their numbers at MovieLens
    titles: Sequence[str]  # M of them, most with the year at the end
    genres: Sequence[Sequence[str]]  # M of none or several

    @property
    def years(self) -> np.ndarray:
        """[M] int years of the films, 0 where the title has none."""
        return np.array([int(found[1]) if (found := _YEAR.search(title)) else 0 for title in self.titles])

    @property
    def fingerprint(self) -> str:
        """Of all that is in it but the name, in 64 hexadecimal digits."""
        digest = sha256(repr((self.titles, self.genres)).encode("utf8", "backslashreplace"))
        for column in self.user, self.film, self.stars, self.time, self.users:
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def __str__(self) -> str:
        of = f"of {len(self.titles):,} films by {len(self.users):,} users"
        return f"{self.name}: {len(self.user):,} ratings {of}"


def load_movielens(where: str | Path) -> Ratings:
    """Reads `ratings.csv` and `movies.csv` of a folder or a zip, with lines that end in either way.

    Raises DimError if one of them is missing, empty, or not of the form that MovieLens has.
    """
    path = typed_path(where)
    films, ratings = (_columns(path, name) for name in _FILES)
    try:
        user, film, time = (np.array(ratings[name], "int64") for name in ("userId", "movieId", "timestamp"))
        stars, published = np.array(ratings["rating"], "float32"), np.array(films["movieId"], "int64")
    except (ValueError, OverflowError) as error:
        raise _unusable(path, f"a number is none: {error}") from error
    numbers, first = np.unique(published, return_index=True)
    if len(numbers) < len(published):
        raise _unusable(path, "movies.csv has a film twice")
    if len(unknown := np.setdiff1d(film, numbers)):
        raise _unusable(path, f"film {unknown[0]} is rated and not in movies.csv")
    if not ((stars >= _STARS[0]) & (stars <= _STARS[1])).all():
        raise _unusable(path, "a rating is not between {} and {} stars".format(*_STARS))
    users, user = np.unique(user, return_inverse=True)
    film = np.searchsorted(numbers, film)
    if len(np.unique(user * len(numbers) + film)) < len(film):
        raise _unusable(path, "a user rates a film twice")
    order = np.argsort(user, kind="stable")
    columns = user[order], film[order], stars[order], time[order]
    titles = [films["title"][i] for i in first]
    genres = [[g for g in films["genres"][i].split("|") if g and g != _NO_GENRE] for i in first]
    return Ratings(path.name.removesuffix(".zip"), *columns, users, titles, genres)


def download_movielens(archive: Path, url: str = URL) -> Path:
    """Fetches ml-latest-small (1 MB), and goes on with what was interrupted.

    No checksum of it is known, so its content is compared with what its publisher counts. Raises DimError if
    it is another, or cannot be fetched.
    """
    there = archive.exists()
    found = str(load_movielens(download(url, archive)))
    if not found.endswith(_PUBLISHED):
        if not there:
            archive.unlink()
        raise DimError(f"{archive} holds {found}, not {_PUBLISHED}; remove it and run make data again")
    return archive


def _columns(path: Path, name: str) -> dict[str, list[str]]:
    """The columns of one of the two files, all of the same length."""
    try:
        reader = csv.DictReader(io.StringIO(_text(path, name), newline=""))
        rows = list(reader)
    except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, csv.Error) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:120]
        raise _unusable(path, f"{name}: {reason}") from error
    if not rows:
        raise _unusable(path, f"{name} has no rows")
    if missing := [column for column in _FILES[name] if column not in reader.fieldnames]:
        raise _unusable(path, f"{name} has no column {missing[0]}")
    if short := [i for i, row in enumerate(rows) if None in row.values()]:
        raise _unusable(path, f"line {short[0] + 2} of {name} lacks a cell")
    return {column: [row[column] for row in rows] for column in _FILES[name]}


def _text(path: Path, name: str) -> str:
    if path.is_dir():
        return (path / name).read_text("utf-8-sig")
    with zipfile.ZipFile(path) as opened:
        members = [member for member in opened.namelist() if member.rpartition("/")[2] == name]
        if not members:
            raise ValueError("the zip has no such file")
        return opened.read(members[0]).decode("utf-8-sig")


def _unusable(path: Path, reason: str) -> DimError:
    remedy = "give the folder or zip of ml-latest-small as published"
    return DimError(f"{path} cannot be used ({printable(reason)}); {remedy}")
