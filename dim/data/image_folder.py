"""Any folder of images: labelled by its sub-folders, or not labelled at all.

A folder with `train/` and `val/` inside is taken as split that way, and what lies beside the two is left
out. Anything else is split here: about one image in ten becomes validation, by the hash of its name alone,
so that images which come, go or are renamed move no other from one side to the other. Of each class one
image stays in train whatever its hash, and where no hash is low enough the lowest is held out; only there
can an image move when others come. Images in sub-folders are labelled by the first of them; as soon as one
image lies outside any sub-folder, or there is only one, none is labelled.

A folder may lie in an object store, and then has an address, see `dim.data.store`.
"""

import hashlib
import os
from collections.abc import Callable
from functools import partial
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from dim.data import store
from dim.data.dataset import Recipe, Source, called
from dim.data.decode import EXTENSIONS, decode_image, file_bytes
from dim.errors import DimError

_FEWEST = 20
_HELD_OUT = 0.1


class Place(NamedTuple):
    """A folder, and how its images are read."""

    where: str
    above: str  # what stands before the name of an image in its source
    decode: Callable  # of a source, to [size, size, 3] uint8
    read: Callable  # of a source, to the bytes of the file


def source(where: str | PathLike, image_size: int = 64, whole: bool = False) -> Source:
    """A folder of jpg, png, webp, bmp or gif images of any size, nested or flat.

    Of each the central square is scaled to `image_size` pixels. The whole of it is every image, one or many,
    sorted by name, for those who need no splits; where the folder is split, what lies beside `train/` and
    `val/` is left out there too. Raises DimError if there are too few images.
    """
    name, files, place = _listed(where, image_size)
    where, kinds = place.where, ", ".join(sorted(EXTENSIONS))
    if whole and _is_split([name for name, *_ in files]):
        files = [file for file in files if file[0].startswith(("train/", "val/"))]
    if whole and not files:
        raise DimError(f"{where} holds no images ({kinds})")
    if not whole and len(files) < _FEWEST:
        held = f"{len(files)} images ({kinds})"
        raise DimError(f"{where} holds {held}; at least {_FEWEST} are needed to tell apart")
    names = [name for name, *_ in files]
    recipe = partial(_recipe, place, names)
    if whole:
        stamps = [f"{size} {changed}" for _, size, changed in files]
        recipe = partial(_in_order, place, names, len(names), stamps=stamps)
    return Source(called(name), [where, files], recipe)


def _listed(where: str | PathLike, size: int) -> tuple[str, list[tuple[str, int, int]], Place]:
    """What it is called, its images, and how they are read."""
    if store.is_address(where):
        decode = partial(store.decode_stored, address=where, size=size)
        place = Place(where, "", decode, partial(store.stored_bytes, address=where))
        return store.name_of(where), store.list_images(where), place
    where = Path(where).resolve()
    place = Place(str(where), f"{where}/", partial(decode_image, size=size), file_bytes)
    return where.name, list_images(where), place


def list_images(folder: Path) -> list[tuple[str, int, int]]:
    """(path relative to the folder, size in bytes, time of change in ns) of each image, sorted.

    The folder `runs` of the current one, with the pictures that programs drew, is left out.
    """
    found, pending, ours = [], [(str(folder), ())], os.path.realpath("runs")
    try:
        while pending:
            path, above = pending.pop()
            status = Path(path).stat()
            above = (*above, (status.st_dev, status.st_ino))
            if above[-1] in above[:-1]:
                raise DimError(f"cannot list {path}: this folder is inside itself; remove the link")
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.is_dir() and not entry.name.startswith("."):
                        if entry.name == "runs" and os.path.realpath(entry.path) == ours:
                            continue
                        pending.append((entry.path, above))
                    elif is_image(entry.name):
                        # A link to nothing is listed, and named later as an image that cannot be read.
                        status = entry.stat(follow_symlinks=entry.is_file())
                        name = os.path.relpath(entry.path, folder).replace(os.sep, "/")
                        found.append((name, status.st_size, status.st_mtime_ns))
    except OSError as error:
        what = error.filename or folder
        raise DimError(f"cannot list {what}: {error.strerror}; repair or remove it") from error
    return sorted(found)


def is_image(name: str) -> bool:
    """Whether a file's name, without folders, is that of a visible image."""
    return not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS


def _recipe(place: Place, names: list[str]) -> Recipe:
    if not _is_split(names):
        train, val = _drawn(names)
        return _in_order(place, train + val, len(train), drawn=True)
    train = [name for name in names if name.startswith("train/")]
    val = [name for name in names if name.startswith("val/")]
    recipe = _in_order(place, train + val, len(train))
    labels = recipe.labels
    if labels and (alien := set(labels[len(train) :]) - set(labels[: len(train)])):
        name = f"val/{recipe.class_names[min(alien)]}/"
        raise DimError(f"{place.where}: {name} is a class without images in train/; add some or remove it")
    return recipe


def _in_order(place: Place, names: list[str], train: int, drawn=False, stamps=None) -> Recipe:
    sources = [place.above + name for name in names]
    below = [name.split("/", 1)[1] for name in names] if _is_split(names) else names
    return Recipe(sources, place.decode, names, *_labels(below), train, drawn, stamps, place.read)


def _is_split(names: list[str]) -> bool:
    return {name.split("/")[0] for name in names} >= {"train", "val"}


def _drawn(names: list[str]) -> tuple[list[str], list[str]]:
    hashes = {name: _hash(name) for name in names}
    labels, _ = _labels(names)
    highest = {}  # of each class; it stays in train
    for label, name in zip(labels or [0] * len(names), names, strict=True):
        highest[label] = max(highest.get(label, name), name, key=hashes.get)
    others = sorted(set(names) - set(highest.values()), key=hashes.get)
    held_out = {name for name in others if hashes[name] < _HELD_OUT} or set(others[:1])
    return [name for name in names if name not in held_out], [name for name in names if name in held_out]


def _hash(name: str) -> float:
    """A number from 0 to 1 that is always the same for a name and as good as random."""
    return int.from_bytes(hashlib.sha512(os.fsencode(name)).digest()[:8]) / 2**64


def _labels(names: list[str]) -> tuple[list[int] | None, list[str]]:
    if not all("/" in name for name in names):
        return None, []
    classes = [name.split("/")[0] for name in names]
    class_names = sorted(set(classes))
    if len(class_names) < 2:
        return None, []
    labels = {name: label for label, name in enumerate(class_names)}
    return [labels[name] for name in classes], class_names
