"""A single image of a data set, long after it was listed."""

from functools import lru_cache, partial
from pathlib import Path, PurePosixPath

import numpy as np

from dim.data import listed, store
from dim.data.decode import decode_image
from dim.data.decoding import image_or_reason

_GREY = 224
_ANY = 64  # the size does not matter where nothing is decoded


def picture(where: str, name: str, size: int) -> np.ndarray:
    """One image by its name in the data set: [size, size, 3] uint8, grey where it can no longer be read.

    The data set is given as to `dim.data.load`; the name is that of its recipe.
    """
    image = image_or_reason(partial(_decoded, where, size=size), name)
    return np.full((size, size, 3), _GREY, "uint8") if isinstance(image, str) else image


def original(where: str, name: str) -> bytes | None:
    """The file of an image, from the disk or out of its zip; None where it is there no more, or never was."""
    if store.is_address(where):
        found = image_or_reason(partial(store.stored_bytes, address=where), name)
        return None if isinstance(found, str) else found
    recipe, sources = _recipe(where, _ANY)
    if recipe.read is None or name not in sources:
        return None
    found = image_or_reason(recipe.read, sources[name])
    return None if isinstance(found, str) else found


def file_inside(where: str, name: str) -> Path | None:
    """The file of an image, if it has one of its own; none outside of the data set, whatever it is called."""
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        return None
    file = Path(where, name)
    return file if file.is_file() else None


def _decoded(where: str, name: str, size: int) -> np.ndarray:
    if store.is_address(where):
        return store.decode_stored(name, where, size)
    if file := file_inside(where, name):
        return decode_image(file, size)
    recipe, sources = _recipe(where, size)
    return recipe.decode(sources[name])


@lru_cache(maxsize=2)
def _recipe(where: str, size: int):
    recipe = listed(where, size).recipe()
    return recipe, dict(zip(recipe.names, recipe.sources, strict=True))
