"""Data sets that are listed and not yet decoded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


@dataclass(frozen=True)
class Recipe:
    """What a data set is made of, before a single pixel is decoded.

    Attributes:
        sources: one picklable item an image, the training images first.
        decode: from such an item to [size, size, 3] uint8; raises where the image is bad.
        names: what to call each image in messages and tables.
        labels: class index of each image, or None.
        class_names: one name a class; empty if unlabelled.
        train: how many of the sources are training images.
        drawn: whether the others were held out here, and not by whoever made the data set.
    """

    sources: Sequence[Any]
    decode: Callable[[Any], np.ndarray]
    names: Sequence[str]
    labels: Sequence[int] | None
    class_names: Sequence[str]
    train: int
    drawn: bool = False


class Source(NamedTuple):
    """A data set that nobody has looked into yet.

    Attributes:
        name: what it is called.
        made_from: anything JSON can hold that changes whenever the images may have changed.
        recipe: lists the images.
    """

    name: str
    made_from: Any
    recipe: Callable[[], Recipe]
