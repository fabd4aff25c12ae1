"""Downloads Tiny-ImageNet (248 MB), MovieLens, 20 Newsgroups (17 MB) or STS-B, where programs find them.

ImageNet's terms allow non-commercial research only, as do those of MovieLens.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dim.data import movielens, newsgroups, sentence_pairs
from dim.data.download import download_tiny_imagenet
from dim.files import typed_path
from dim.names import printable
from experiments import command_line


@dataclass(frozen=True)
class Options:
    """Options of `download`."""

    data: Literal["tiny-imagenet", "movielens", "20-newsgroups", "stsbenchmark"] = "tiny-imagenet"
    """What to download."""
    folder: Path = Path("data")
    """Where to put it."""


def download(options: Options) -> None:
    """Downloads what is missing and says where it lies."""
    folder = typed_path(options.folder)
    if options.data == "movielens":
        name, where = "MovieLens", movielens.download_movielens(folder / movielens.ARCHIVE.name)
    elif options.data == "20-newsgroups":
        name, where = "20 Newsgroups", newsgroups.download_newsgroups(folder / newsgroups.ARCHIVE.name)
    elif options.data == "stsbenchmark":
        archive = folder / sentence_pairs.ARCHIVE.name
        name, where = "The STS Benchmark", sentence_pairs.download_sts_benchmark(archive)
    else:
        name, where = "Tiny-ImageNet", download_tiny_imagenet(folder)
    print(printable(f"{name} is in {where}"))


if __name__ == "__main__":
    command_line.run(download, Options, __doc__)
