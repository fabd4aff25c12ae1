"""From images to codes, batch by batch, by whatever makes codes of images."""

from collections.abc import Callable, Generator
from contextlib import closing
from typing import NamedTuple

import numpy as np

from dim.data.dataset import Recipe
from dim.data.decoding import decoded
from dim.data.rows import BATCH
from dim.search.engine import Precision

Embed = Callable[[np.ndarray], np.ndarray]  # from [B, S, S, 3] uint8 to [B, D] float32; B never changes
Coded = Generator[tuple[int, list[np.ndarray | str]]]


def codes_of(embed: Embed, size: int, images: list[np.ndarray | str]) -> list[np.ndarray | str]:
    """The code [D] of each image of a batch; reasons why there is no image stay in their places.

    An image has the same place in a batch whoever calls this, so that its code is the same to the bit.
    """
    read = [i for i, image in enumerate(images) if not isinstance(image, str)]
    if not read:
        return images
    batch = np.zeros((BATCH, size, size, 3), "uint8")
    batch[read] = [images[i] for i in read]
    codes = embed(batch)
    return [image if isinstance(image, str) else codes[i] for i, image in enumerate(images)]


def coded_here(recipe: Recipe, first: int, embed: Embed, size: int) -> Coded:
    """(number of the first, codes or reasons of failure) of each batch from image `first` on, in order."""
    with closing(decoded(recipe, BATCH, first)) as batches:
        for start, images in batches:
            yield start, codes_of(embed, size, images)


class Embedder(NamedTuple):
    """What makes codes of images, and where."""

    embed: Embed
    fingerprint: str  # another one wherever the codes are others
    image_size: int  # S
    code_size: int  # D
    coded: Callable[[Recipe, int, Embed, int], Coded] = coded_here
    precision: Precision = "float32"  # in which codes are written
