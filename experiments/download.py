"""Downloads and unpacks Tiny-ImageNet (248 MB), where `train` then finds it.

ImageNet's terms allow non-commercial research only.
"""

from dataclasses import dataclass
from pathlib import Path

from dim.data.download import download_tiny_imagenet
from dim.names import printable
from experiments import command_line


@dataclass(frozen=True)
class Options:
    """Options of `download`."""

    folder: Path = Path("data")
    """Where to put it."""


def download(options: Options) -> None:
    """Downloads what is missing and says where it lies."""
    print(printable(f"Tiny-ImageNet is in {download_tiny_imagenet(options.folder)}"))


if __name__ == "__main__":
    command_line.run(download, Options, __doc__)
