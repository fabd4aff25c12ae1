"""A data set and an embedder for tests of Ray, whose workers get them pickled by value."""

import os
import signal
from pathlib import Path

import numpy as np

from dim.data.dataset import Recipe
from dim.data.rows import BATCH
from dim.search.embedder import Embedder, coded_here
from dim.search.indexer import write_codes

N = 6 * BATCH + 20
BAD = (3, BATCH, N - 1)
SIZE = 4


def decode(source):
    """An image of noise, or an error; a source is (number, what has to happen besides)."""
    number, happen = source
    if happen is not None:
        happen()
    if number in BAD:
        raise ValueError(f"image {number} is broken")
    return np.random.default_rng(number).integers(0, 256, (SIZE, SIZE, 3), "uint8")


def embed(images):
    """Codes of three numbers, which depend on the place of an image in its batch as well."""
    assert images.shape == (BATCH, SIZE, SIZE, 3)
    pixels = images.reshape(BATCH, -1).astype("float32")
    return np.stack([pixels.sum(1), pixels.std(1), np.arange(BATCH)], axis=1, dtype="float32")


def recipe(decode=decode, **happen):
    """`happen`: what decoding an image does besides, by `imageNUMBER`."""
    names = [f"{i} ü.png" for i in range(N)]
    return Recipe([(i, happen.get(f"image{i}")) for i in range(N)], decode, names, None, [], N)


def write(folder, recipe, coded=coded_here, embed=embed):
    return write_codes(folder, recipe, Embedder(embed, "one", SIZE, 3, coded), {"encoder": "one"})


def end_this_process():
    os.kill(os.getpid(), signal.SIGKILL)


def end_once(flag: Path):
    """Ends the first process that comes here."""
    try:
        flag.touch(exist_ok=False)
    except FileExistsError:
        return
    end_this_process()
