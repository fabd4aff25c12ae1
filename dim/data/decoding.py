"""Decodes many images, a few batches ahead of whoever takes them.

In threads: Pillow decodes outside of Python's lock, and no thread outlives its process, however that ends.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, repeat
from typing import Any

import numpy as np

from dim.data.dataset import Recipe
from dim.data.store import Unreachable
from dim.errors import DimError
from dim.names import printable

_AHEAD = 2  # batches that are decoded while one is used


def decoded(recipe: Recipe, batch: int, first: int = 0) -> Iterator[tuple[int, list[np.ndarray | str]]]:
    """(number of the first, images or reasons of failure) of each batch from image `first` on, in order.

    Raises DimError if there is no memory left for an image, or a store does not answer, which says nothing
    about the image.
    """
    read = partial(image_or_reason, recipe.decode)
    pool = ThreadPoolExecutor(os.cpu_count())
    starts = range(first, len(recipe.sources), batch)
    batches = ((start, pool.map(read, recipe.sources[start : start + batch])) for start in starts)
    waiting = deque()
    try:
        for each in chain(batches, repeat(None, _AHEAD)):
            waiting.append(each)
            if len(waiting) > _AHEAD and (oldest := waiting.popleft()):
                yield oldest[0], list(oldest[1])
    finally:
        pool.shutdown(cancel_futures=True)


def image_or_reason(decode: Callable, source: Any) -> np.ndarray | str:
    """What `decode` makes of a source, or in one line why it cannot.

    Raises DimError where no memory is left, or a store does not answer.
    """
    try:
        return decode(source)
    except MemoryError:
        remedy = "end other programs, then start this one again"
        raise DimError(f"no memory is left to decode {printable(source)}; {remedy}") from None
    except Unreachable:
        raise
    except Exception as error:  # a damaged file can raise almost anything in a decoder
        return " ".join(f"{type(error).__name__}: {error}".split())
