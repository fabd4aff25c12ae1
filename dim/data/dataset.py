"""What a data set looks like when it is listed, and once it is decoded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from dim.files import UNFINISHED
from dim.names import printable

_LONGEST = 120


@dataclass(frozen=True)
class Recipe:
    """What a data set is made of, before a single pixel is decoded."""

    sources: Sequence[Any]  # one item an image, the training images first
    decode: Callable[[Any], np.ndarray]  # of an item, [size, size, 3] uint8; raises where it is bad
    names: Sequence[str]  # what to call each image in messages and tables
    labels: Sequence[int] | None  # class index of each image
    class_names: Sequence[str]  # one a class; empty if unlabelled
    train: int  # how many of the sources are training images
    drawn: bool = False  # whether the others were held out here, and not by whoever made the data set
    stamps: Sequence[str] | None = None  # of each image, another one when it changed; None: nobody knows
    read: Callable[[Any], bytes] | None = None  # of an item, the file that it comes from; None: there is none


class Source(NamedTuple):
    """A data set that nobody has looked into yet."""

    name: str  # what it is called
    made_from: Any  # anything JSON can hold that changes whenever the images may have changed
    recipe: Callable[[], Recipe]  # lists the images


@dataclass(frozen=True)
class Split:
    """Images of one split, in a fixed order."""

    images: np.ndarray  # [N, H0, W0, 3] uint8, usually memory-mapped
    labels: np.ndarray | None  # [N] int64 indices into the data set's class names, if there are labels
    names: Sequence[str]  # N of them, which say where each image came from

    def __len__(self) -> int:
        return len(self.images)

    def rows(self, rows: np.ndarray) -> "Split":
        """Some of the images, by their numbers and in that order, in memory."""
        labels = None if self.labels is None else self.labels[rows]
        return Split(np.asarray(self.images[rows]), labels, [self.names[i] for i in rows])


@dataclass(frozen=True)
class Dataset:
    """A training split, a validation split and the names of the classes (empty if unlabelled)."""

    name: str
    train: Split
    val: Split
    class_names: Sequence[str]
    fingerprint: str = ""  # of all that a model sees: pixels, labels, names, order and splits
    drawn: bool = False  # whether val was held out here, and not by whoever made the data set
    where: str = ""  # by what `dim.data.load` opens it again; empty if it cannot

    @property
    def labelled(self) -> bool:
        return self.train.labels is not None

    @property
    def image_size(self) -> int:
        return self.train.images.shape[1]

    def caption(self, split: Split, i: int) -> str:
        """What to write under image i of a split: its class, or where it came from."""
        return split.names[i] if split.labels is None else self.class_names[split.labels[i]]

    def __str__(self) -> str:
        classes = f"{len(self.class_names)} classes" if self.labelled else "no labels"
        sizes = f"{len(self.train):,} train + {len(self.val):,} val"
        return f"{self.name}: {sizes}, {classes}, {self.image_size}×{self.image_size}"


def called(name: str) -> str:
    """What a data set of any name is called in print, and as the folder of its cache, run or index."""
    name = printable(name).replace(",", "_").encode()[:_LONGEST].decode("utf8", "ignore") or "root"
    return f"data-{name}" if name.startswith((UNFINISHED, "-")) else name
