"""Pairs of sentences that somebody graded by how alike they are."""

import csv
import hashlib
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dim.data.docstrings import docstrings
from dim.data.download import download
from dim.errors import DimError
from dim.files import typed_path
from dim.names import printable

ARCHIVE = Path("data/Stsbenchmark.tar.gz")
URL = "http://ixa2.si.ehu.eus/stswiki/images/4/48/Stsbenchmark.tar.gz"
_PUBLISHED = "5,749 train + 1,500 dev + 1,379 test pairs"  # says the readme inside
_PARTS = "train", "dev", "test"
_MOST = 2**26  # bytes of a file
_GREATEST = 5.0


@dataclass(frozen=True)
class Pairs:
    """Two sentences each, and their grade from 0, nothing in common, to 1, the same."""

    first: Sequence[str]
    second: Sequence[str]
    grades: np.ndarray  # [N] float32

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class PairCollection:
    """Pairs to learn from, to choose by, and to be asked about once."""

    name: str
    train: Pairs
    dev: Pairs
    test: Pairs

    @property
    def fingerprint(self) -> str:
        """Of all that a model sees."""
        held = [[list(p.first), list(p.second), p.grades.tolist()] for p in (self.train, self.dev, self.test)]
        return hashlib.sha256(json.dumps(held).encode("utf8", "surrogatepass")).hexdigest()

    def __str__(self) -> str:
        sizes = (f"{len(getattr(self, part)):,} {part}" for part in _PARTS)
        return f"{self.name}: {' + '.join(sizes)} pairs"


def sts_benchmark(where: str) -> PairCollection:
    """The STS Benchmark (Cer et al. 2017): an archive, or a folder, with `sts-train.csv`, `-dev` and `-test`.

    Separated by tabs: genre, file, year, number, grade from 0 to 5, and the two sentences. Raises DimError
    if one is missing or has another form.
    """
    path = typed_path(where)
    if not path.exists():
        raise DimError(f"no sentence pairs at {path.absolute()}; pass the archive or folder of STS-B ({URL})")
    return PairCollection("sts-benchmark", *(_read(path, f"sts-{part}.csv") for part in _PARTS))


def download_sts_benchmark(archive: Path = ARCHIVE, url: str = URL) -> Path:
    """Fetches the archive, which stays packed, and goes on with what was interrupted.

    No checksum of it is known, so that it is known again by its numbers of pairs. Raises DimError if it is
    another, which is removed, or cannot be fetched.
    """
    there = archive.exists()
    try:
        found = str(sts_benchmark(str(download(url, archive))))
        if not found.endswith(_PUBLISHED):
            remedy = "remove it and run make data again"
            raise DimError(f"{archive} holds {found}, not {_PUBLISHED}; {remedy}")
    except DimError:
        if not there:
            archive.unlink(missing_ok=True)
        raise
    return archive


def _read(path: Path, name: str) -> Pairs:
    try:
        content = _content(path, name)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, RuntimeError, OSError, EOFError) as error:
        reason = printable(str(error).partition("\n")[0])
        raise DimError(f"{path} is no archive or folder of STS-B ({reason}); fetch it again") from error
    if content is None:
        raise DimError(f"{path} has no {name}; pass the archive or folder of STS-B")
    lines = csv.reader(io.StringIO(content.decode("utf8", "replace")), delimiter="\t", quoting=csv.QUOTE_NONE)
    first, second, grades = [], [], []
    for number, cells in enumerate(lines, 1):
        try:
            grade = float(cells[4]) / _GREATEST
            if not 0 <= grade <= 1:
                raise ValueError(f"grade {cells[4]}")
            one, other = cells[5:7]
        except (ValueError, IndexError) as error:
            reason = printable(error)
            raise DimError(
                f"{path}: line {number} of {name} is no graded pair ({reason}); fetch it again"
            ) from error
        grades.append(grade), first.append(one), second.append(other)
    if len(grades) < 2:
        raise DimError(f"{path}: {name} has {len(grades)} pairs; fetch it again")
    return Pairs(first, second, np.array(grades, "float32"))


def _content(path: Path, name: str) -> bytes | None:
    """Of the file of that name in a folder, a zip or a tar, wherever it lies in it."""
    if path.is_dir():
        file = next(path.rglob(name), None)
        return None if file is None else file.read_bytes()
    with zipfile.ZipFile(path) if zipfile.is_zipfile(path) else tarfile.open(path) as archive:
        if isinstance(archive, zipfile.ZipFile):
            sizes, read = {member.filename: member.file_size for member in archive.infolist()}, archive.read
        else:
            sizes = {member.name: member.size for member in archive if member.isfile()}

            def read(inside):
                return archive.extractfile(inside).read()

        inside = next((each for each in sizes if Path(each).name == name), None)
        if inside is None:
            return None
        if sizes[inside] > _MOST:
            raise DimError(f"{path}: {name} is larger than {_MOST:,} bytes; fetch it again")
        return read(inside)


def made_pairs() -> PairCollection:
    """Without a download: sentences of docstrings, graded by where the second was taken from.

    1 from the same docstring, 0.5 from another of the same library, 0 from another library. Never a
    benchmark.
    """
    whole, parts = docstrings(), []
    for number, texts in enumerate((whole.train, whole.test, whole.test)):
        rng = np.random.default_rng(number)
        sentences = [[s.strip() for s in t.split(". ") if len(s.split()) >= 4] for t in texts.texts]
        several = [i for i, found in enumerate(sentences) if len(found) >= 2]
        half = len(several) // 2
        several = several if number == 0 else several[:half] if number == 1 else several[half:]
        first, second, grades = [], [], []
        for i in several:
            one, other = rng.permutation(len(sentences[i]))[:2]
            alike = [j for j in several if j != i and texts.labels[j] == texts.labels[i]]
            others = [j for j in several if texts.labels[j] != texts.labels[i]]
            if not alike or not others:
                continue
            near, far = int(rng.choice(alike)), int(rng.choice(others))
            first += [sentences[i][one]] * 3
            second += [sentences[i][other], *(str(rng.choice(sentences[j])) for j in (near, far))]
            grades += [1.0, 0.5, 0.0]
        parts.append(Pairs(first, second, np.array(grades, "float32")))
    return PairCollection("pairs made of docstrings", *parts)
