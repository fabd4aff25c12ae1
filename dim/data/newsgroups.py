"""20 Newsgroups as it is published: an archive, or the folder in it, of GROUP/NUMBER."""

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dim.data.download import download
from dim.data.texts import Collection, Texts, split_by_name
from dim.errors import DimError
from dim.files import typed_path
from dim.names import printable

ARCHIVE = Path("data/20news-19997.tar.gz")
URL = "http://qwone.com/~jason/20Newsgroups/20news-19997.tar.gz"
SIZE, MD5 = 17_009_346, "ec94147ccc54ee4ad0aea833398b24f6"
_MOST = 2**22  # bytes of a post; the longest has 160,000


def newsgroups(where: str, stripped: bool = True) -> Collection:
    """The posts of `20news-19997.tar.gz`, or of any folder or tar of texts with a folder for each class.

    Posts are Latin-1. Stripped as scikit-learn does it they have no header, which tells the group, no
    signature at the end and no quotations. Raises DimError if there is nothing there, or no two classes.
    """
    path = typed_path(where)
    try:
        posts = sorted(_in_folder(path) if path.is_dir() else _in_archive(path))
    except FileNotFoundError:
        remedy = f"pass 20news-19997.tar.gz or a folder with a sub-folder for each class ({URL})"
        raise DimError(f"no texts at {path.absolute()}; {remedy}") from None
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        reason = str(error).partition("\n")[0]
        raise DimError(f"{path} is no archive of texts, or is damaged ({reason}); fetch it again") from error
    groups = sorted({group for group, _, _ in posts})
    if len(groups) < 2:
        raise DimError(
            f"{path} has {len(posts)} texts in {len(groups)} classes; put each class into a folder"
        )
    texts = [_without_hints(text) if stripped else text for _, _, text in posts]
    labels = np.array([groups.index(group) for group, _, _ in posts], "int64")
    named = Texts(texts, labels, [f"{group}/{number}" for group, number, _ in posts])
    name = "20-newsgroups" if path.name.startswith("20") else printable(path.name.partition(".")[0])
    about = "headers, signatures and quotations stripped" if stripped else ""
    return split_by_name(name, named, [printable(group) for group in groups], about)


def download_newsgroups(archive: Path = ARCHIVE) -> Path:
    """Fetches the archive, which stays packed; raises as `dim.data.download.download`."""
    return download(URL, archive, SIZE, MD5)


def _in_archive(path: Path) -> Iterator[tuple[str, str, str]]:
    """Group, number and text of each post; nothing is unpacked."""
    with tarfile.open(path) as archive:
        for member in archive:
            parts = member.name.split("/")
            if member.isfile() and len(parts) >= 2 and member.size <= _MOST:
                yield parts[-2], parts[-1], archive.extractfile(member).read(_MOST).decode("latin-1")


def _in_folder(path: Path) -> Iterator[tuple[str, str, str]]:
    inside = [folder for folder in path.iterdir() if folder.is_dir()]
    if len(inside) == 1 and not any(file.is_file() for file in inside[0].iterdir()):
        path = inside[0]
    for file in path.glob("*/*"):
        if file.is_file() and file.stat().st_size <= _MOST:
            yield file.parent.name, file.name, file.read_bytes().decode("latin-1")


def _without_hints(post: str) -> str:
    from sklearn.datasets import _twenty_newsgroups as known

    body = known.strip_newsgroup_header(post)
    return known.strip_newsgroup_quoting(known.strip_newsgroup_footer(body))
