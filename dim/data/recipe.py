"""Data sets that are listed and not yet decoded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


@dataclass(frozen=True)
class Recipe:
    """What a data set is made of, before a single pixel is decoded."""

    sources: Sequence[Any]  # one picklable item an image, the training images first
    decode: Callable[[Any], np.ndarray]  # of an item, [size, size, 3] uint8; raises where it is bad
    names: Sequence[str]  # what to call each image in messages and tables
    labels: Sequence[int] | None  # class index of each image
    class_names: Sequence[str]  # one a class; empty if unlabelled
    train: int  # how many of the sources are training images
    drawn: bool = False  # whether the others were held out here, and not by whoever made the data set


class Source(NamedTuple):
    """A data set that nobody has looked into yet."""

    name: str  # what it is called
    made_from: Any  # anything JSON can hold that changes whenever the images may have changed
    recipe: Callable[[], Recipe]  # lists the images
