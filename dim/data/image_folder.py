"""Any folder of images: labelled by its sub-folders, or not labelled at all.

A folder with `train/` and `val/` inside is taken as split that way. Anything else is split here: every
tenth image, in a fixed random order, becomes validation. Images in sub-folders are labelled by the
first of them; as soon as one image lies outside any sub-folder, or there is only one, none is labelled.
"""

import os
from functools import partial
from os import PathLike
from pathlib import Path

import numpy as np

from dim.data.cache import Recipe, cached
from dim.data.dataset import Dataset
from dim.data.decode import EXTENSIONS, decode_image
from dim.errors import DimError

_FEWEST = 20


def load_image_folder(where: str | PathLike, image_size: int = 64) -> Dataset:
    """Opens a folder of jpg, png, webp, bmp or gif images of any size, nested or flat.

    Args:
        where: the folder.
        image_size: side in pixels of the central square that each image is scaled to.

    Raises:
        DimError: too few images.
    """
    where = Path(where).resolve()
    files = list_images(where)
    if len(files) < _FEWEST:
        kinds = ", ".join(sorted(EXTENSIONS))
        raise DimError(
            f"{where} holds {len(files)} images ({kinds}); at least {_FEWEST} are needed to tell apart"
        )
    return cached(where.name, [str(where), files], image_size, partial(_recipe, where, files, image_size))


def list_images(folder: Path) -> list[tuple[str, int, int]]:
    """(path relative to the folder, size in bytes, time of change in ns) of each image, sorted."""
    found, pending = [], [str(folder)]
    while pending:
        for entry in os.scandir(pending.pop()):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                pending.append(entry.path)
            elif Path(entry.name).suffix.lower() in EXTENSIONS:
                status = entry.stat()
                name = os.path.relpath(entry.path, folder).replace(os.sep, "/")
                found.append((name, status.st_size, status.st_mtime_ns))
    return sorted(found)


def _recipe(folder: Path, files: list, size: int) -> Recipe:
    names = [name for name, *_ in files]
    train, val = _split(names)
    names = train + val
    labels, class_names = _labels(_below_split(names))
    return Recipe(
        sources=[str(folder / name) for name in names],
        decode=partial(decode_image, size=size),
        names=names,
        labels=labels,
        class_names=class_names,
        train=len(train),
    )


def _is_split(names: list[str]) -> bool:
    return {name.split("/")[0] for name in names} == {"train", "val"}


def _split(names: list[str]) -> tuple[list[str], list[str]]:
    if _is_split(names):
        return (
            [name for name in names if name.startswith("train/")],
            [name for name in names if name.startswith("val/")],
        )
    held_out = set(np.random.default_rng(0).permutation(len(names))[::10].tolist())
    return (
        [name for i, name in enumerate(names) if i not in held_out],
        [name for i, name in enumerate(names) if i in held_out],
    )


def _below_split(names: list[str]) -> list[str]:
    return [name.split("/", 1)[1] for name in names] if _is_split(names) else names


def _labels(names: list[str]) -> tuple[list[int] | None, list[str]]:
    if not all("/" in name for name in names):
        return None, []
    classes = [name.split("/")[0] for name in names]
    class_names = sorted(set(classes))
    if len(class_names) < 2:
        return None, []
    labels = {name: label for label, name in enumerate(class_names)}
    return [labels[name] for name in classes], class_names
