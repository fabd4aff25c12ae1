"""Decode once, in parallel; memory-map for ever."""

import hashlib
import json
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import numpy as np

from dim.data.dataset import Dataset, Recipe, Source, Split
from dim.data.decoding import decoded
from dim.data.rows import BATCH, write_rows
from dim.errors import DimError
from dim.files import is_blameless, lock, read_json
from dim.names import printable

_INDEX = {"class_names": [str], "labels": ([int], None), "names": [str]}
_INDEX |= {"skipped": int, "train": int, "fingerprint": str, "drawn": bool}
_FORMAT = 2
_TOLERATED = 0.01
_UNFINISHED = ".tmp"


def cache_folder() -> Path:
    """Where decoded data sets are kept: `$DIM_CACHE`, or `data/cache` in the current folder."""
    return Path(os.environ.get("DIM_CACHE") or "data/cache").expanduser()


def cached(source: Source, size: int) -> Dataset:
    """Opens the decoded data set, its images squares of `size` pixels.

    It is listed and decoded first if it is new or what it is made from changed. Raises DimError if more than
    1 % of the images are bad, or the cache cannot be written.
    """
    key = hashlib.sha256(json.dumps([_FORMAT, size, source.made_from]).encode()).hexdigest()[:16]
    folder = cache_folder() / f"{source.name}-{size}-{key}"
    if not (folder / "index.json").exists():
        _build(folder, source.name, source.recipe(), size)
    return _open(folder, source.name)


def _open(folder: Path, name: str) -> Dataset:
    remedy = "remove it to decode the images again"
    index = read_json(folder / "index.json", _INDEX, f"{folder} is damaged, {remedy}")
    try:
        images = np.load(folder / "images.npy", mmap_mode="r")
        _check(index, images)
    except (OSError, EOFError, ValueError, OverflowError) as error:
        if is_blameless(error):
            raise
        raise DimError(f"{folder} is damaged ({error}); {remedy}") from error
    names, train = index["names"], index["train"]
    about = index["class_names"], index["fingerprint"], index["drawn"]
    labels = None if index["labels"] is None else np.array(index["labels"], dtype="int64")
    if skipped := index["skipped"]:
        print(printable(f"{name}: {skipped} unreadable images skipped, see {folder}/skipped.txt"))

    def split(part: slice) -> Split:
        return Split(images[part], None if labels is None else labels[part], names[part])

    return Dataset(name, split(slice(train)), split(slice(train, None)), *about)


def _check(index: dict, images: np.ndarray) -> None:
    """Makes sure that images, names and labels belong together."""
    count, classes, labels = len(index["names"]), len(index["class_names"]), index["labels"]
    if images.dtype != "uint8" or images.ndim != 4 or len(images) != count:
        raise ValueError(f"{count} names for images {images.shape} {images.dtype}")
    if not 0 < index["train"] <= count:
        raise ValueError(f"{index['train']} training images of {count}")
    if labels is not None and not (len(labels) == count and all(0 <= label < classes for label in labels)):
        raise ValueError(f"labels that do not fit {count} images of {classes} classes")


def _build(folder: Path, name: str, recipe: Recipe, size: int) -> None:
    """Fills a folder beside the final one and renames it, so that a cache is whole or absent."""
    unfinished = folder.with_name(folder.name + _UNFINISHED)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder.parent)
        with _own(unfinished):
            if (folder / "index.json").exists():  # by now, from another process
                return
            _decode_into(unfinished, name, recipe, size)
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
    except OSError as error:
        needed = len(recipe.sources) * size * size * 3 / 1e6
        remedy = f"{needed:,.0f} MB are needed there, or set DIM_CACHE to a folder elsewhere"
        where = f"cannot write the decoded images to {folder.parent}: {error.strerror or error}"
        raise DimError(f"{where}; {remedy}") from error


def _sweep(caches: Path) -> None:
    """Removes what processes left unfinished that are no more."""
    for left in caches.glob(f"*{_UNFINISHED}"):
        with suppress(OSError):  # somebody is at work there, or has just finished
            descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
            try:
                lock(descriptor)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(descriptor)


@contextmanager
def _own(folder: Path) -> Iterator[None]:
    """Makes an empty folder that is nobody else's, waiting for whoever has it, and removes it in the end.

    It is locked, and so becomes free with the end of its process, however that ends.
    """
    while (descriptor := _locked(folder)) is None:
        pass
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _locked(folder: Path) -> int | None:
    """A descriptor of the folder that keeps it locked; None if it was not empty, or went away meanwhile."""
    folder.mkdir(exist_ok=True)
    with suppress(FileNotFoundError), ExitStack() as undo:
        descriptor = os.open(folder, os.O_RDONLY)
        undo.callback(os.close, descriptor)
        try:
            lock(descriptor)
        except BlockingIOError:
            print(f"waiting for another process, which decodes into {folder}", flush=True)
            lock(descriptor, wait=True)
        if os.path.samestat(folder.stat(), os.fstat(descriptor)):
            if not any(folder.iterdir()):
                undo.pop_all()
                return descriptor
            shutil.rmtree(folder)  # its process was killed
    return None


def _decode_into(folder: Path, name: str, recipe: Recipe, size: int) -> None:
    count, digest = len(recipe.sources), hashlib.sha256()

    def digested() -> Generator[tuple[int, list[np.ndarray | str]]]:
        with closing(decoded(recipe, BATCH)) as batches:
            for start, images in batches:
                for image in images:
                    if not isinstance(image, str):
                        digest.update(np.ascontiguousarray(image))
                yield start, images

    def named(skipped: dict[int, str]) -> list[str]:
        return [printable(f"{recipe.names[i]}: {reason}") for i, reason in skipped.items()]

    def refuse_many(done: int, skipped: dict[int, str]) -> None:
        if len(skipped) > _TOLERATED * count:
            which = f"more than 1 % of the images cannot be read, for example {named(skipped)[0]}"
            raise DimError(f"{name}: {which} (repair or remove them, nothing was cached)")

    file, title = folder / "images.npy", f"decoding {name}"
    skipped = write_rows(file, digested(), count, (size, size, 3), "uint8", refuse_many, title)
    if skipped:
        (folder / "skipped.txt").write_text("\n".join(named(skipped)) + "\n", "utf8")
    kept = [i for i in range(count) if i not in skipped]
    index = {
        "class_names": list(recipe.class_names),
        "labels": None if recipe.labels is None else [int(recipe.labels[i]) for i in kept],
        "names": [recipe.names[i] for i in kept],
        "train": sum(i < recipe.train for i in kept),
    }
    digest.update(json.dumps(index, sort_keys=True).encode())
    index |= {"skipped": len(skipped), "fingerprint": digest.hexdigest(), "drawn": recipe.drawn}
    (folder / "index.json").write_text(json.dumps(index), "utf8")
