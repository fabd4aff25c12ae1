"""Decode once, in parallel; memory-map for ever."""

import hashlib
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from dim.data.dataset import Dataset, Split
from dim.errors import DimError
from dim.files import read_json
from dim.names import printable

_INDEX = {"class_names": [str], "labels": ([int], None), "names": [str], "skipped": int, "train": int}
_CHUNK = 64
_FORMAT = 1
_TOLERATED = 0.01


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
    """

    sources: Sequence[Any]
    decode: Callable[[Any], np.ndarray]
    names: Sequence[str]
    labels: Sequence[int] | None
    class_names: Sequence[str]
    train: int


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


def cache_folder() -> Path:
    """Where decoded data sets are kept: `$DIM_CACHE`, or `data/cache` in the current folder."""
    return Path(os.environ.get("DIM_CACHE", "data/cache"))


def cached(name: str, made_from: Any, size: int, recipe: Callable[[], Recipe]) -> Dataset:
    """Opens the decoded data set, decoding it first if it is new or what it is made from changed.

    Args:
        name: what the data set is called.
        made_from: anything JSON can hold that changes whenever the images may have changed.
        size: side of the square images in pixels.
        recipe: called only when there is something to decode.

    Raises:
        DimError: more than 1 % of the images are bad, or the cache cannot be written.
    """
    key = hashlib.sha256(json.dumps([_FORMAT, size, made_from]).encode()).hexdigest()[:16]
    folder = cache_folder() / f"{name}-{size}-{key}"
    if not (folder / "index.json").exists():
        _build(folder, name, recipe(), size)
    return _open(folder, name)


def _open(folder: Path, name: str) -> Dataset:
    remedy = "remove it to decode the images again"
    index = read_json(folder / "index.json", _INDEX, f"{folder} is damaged, {remedy}")
    try:
        images = np.load(folder / "images.npy", mmap_mode="r")
        _check(index, images)
    except (OSError, EOFError, ValueError, OverflowError) as error:
        raise DimError(f"{folder} is damaged ({error}); {remedy}") from error
    labels = None if index["labels"] is None else np.array(index["labels"], dtype="int64")
    if index["skipped"]:
        skipped = f"{index['skipped']} unreadable images skipped, see {folder}/skipped.txt"
        print(printable(f"{name}: {skipped}"))

    def split(part: slice) -> Split:
        return Split(images[part], None if labels is None else labels[part], index["names"][part])

    train = index["train"]
    return Dataset(name, split(slice(train)), split(slice(train, None)), index["class_names"])


def _check(index: dict, images: np.ndarray) -> None:
    """Makes sure that images, names and labels belong together."""
    count, classes = len(index["names"]), len(index["class_names"])
    if images.dtype != "uint8" or images.ndim != 4 or len(images) != count:
        raise ValueError(f"{count} names for images {images.shape} {images.dtype}")
    if not 0 < index["train"] <= count:
        raise ValueError(f"{index['train']} training images of {count}")
    if index["labels"] is not None and not (
        len(index["labels"]) == count and all(0 <= label < classes for label in index["labels"])
    ):
        raise ValueError(f"labels that do not fit {count} images of {classes} classes")


def _build(folder: Path, name: str, recipe: Recipe, size: int) -> None:
    """Fills a folder beside the final one and renames it, so that a cache is whole or absent."""
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)  # of a killed process that had the same number
        unfinished.mkdir(parents=True)
        _decode_into(unfinished, name, recipe, size)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    except OSError as error:
        needed = len(recipe.sources) * size * size * 3 / 1e6
        raise DimError(
            f"cannot write the decoded images to {folder.parent}: {error.strerror or error}; "
            f"{needed:,.0f} MB are needed there, or set DIM_CACHE to a folder elsewhere"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _decode_into(folder: Path, name: str, recipe: Recipe, size: int) -> None:
    count = len(recipe.sources)
    kept, skipped = [], []
    # Written row by row, not through a memory map: a full disk is then an OSError, not a bus error.
    with (folder / "images.npy").open("wb") as file:
        write_header(file, (count, size, size, 3), "uint8")
        for start, images in _decoded(recipe, name):
            for i, image in enumerate(images, start):
                if isinstance(image, str):
                    skipped.append(printable(f"{recipe.names[i]}: {image}"))
                    if len(skipped) > _TOLERATED * count:
                        raise _too_many(name, skipped)
                else:
                    kept.append(i)
                    file.write(image.tobytes())
        file.seek(0)
        write_header(file, (len(kept), size, size, 3), "uint8")
    if skipped:
        (folder / "skipped.txt").write_text("\n".join(skipped) + "\n", "utf8")
    index = {
        "class_names": list(recipe.class_names),
        "labels": None if recipe.labels is None else [int(recipe.labels[i]) for i in kept],
        "names": [recipe.names[i] for i in kept],
        "skipped": len(skipped),
        "train": sum(i < recipe.train for i in kept),
    }
    (folder / "index.json").write_text(json.dumps(index), "utf8")


def _decoded(recipe: Recipe, name: str):
    """Yields (index of the first, images or reasons of failure) chunk by chunk, in order."""
    starts = range(0, len(recipe.sources), _CHUNK)
    wanted = True
    chunks = (
        delayed(_decode_chunk)(recipe.decode, recipe.sources[start : start + _CHUNK])
        for start in takewhile(lambda _: wanted, starts)
    )
    decoded = Parallel(n_jobs=-1 if len(starts) > 8 else 1, return_as="generator")(chunks)
    try:
        with tqdm(total=len(recipe.sources), desc=f"decoding {printable(name)}", unit=" images") as progress:
            for start, images in zip(starts, decoded, strict=True):
                yield start, images
                progress.update(len(images))
    finally:  # where this ends early, let the work in flight end too: joblib stumbles when cancelled
        wanted = False
        deque(decoded, maxlen=0)


def _decode_chunk(decode: Callable, sources: Sequence) -> list[np.ndarray | str]:
    return [image_or_reason(decode, source) for source in sources]


def image_or_reason(decode: Callable, source: Any) -> np.ndarray | str:
    """What `decode` makes of a source, or in one line why it cannot."""
    try:
        return decode(source)
    except Exception as error:  # a damaged file can raise almost anything in a decoder
        return " ".join(f"{type(error).__name__}: {error}".split())


def write_header(file, shape: tuple[int, ...], dtype) -> None:
    """Begins a .npy file. NumPy leaves room for axis 0 to change, so it can be written twice."""
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _too_many(name: str, skipped: list[str]) -> DimError:
    return DimError(
        f"{name}: more than 1 % of the images cannot be read, for example {skipped[0]} "
        "(repair or remove them, nothing was cached)"
    )
