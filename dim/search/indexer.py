"""Makes the index of a data set of any size, batch by batch."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow
import pyarrow.parquet

from dim.data.dataset import Recipe, Source
from dim.data.rows import BATCH, write_rows
from dim.errors import DimError
from dim.files import UNFINISHED, read_json, replace, replace_folder
from dim.names import as_unicode, printable
from dim.search.engine import IndexMetric, Kind, engine_of
from dim.search.index import ABOUT, Index

_STATE = {"made_by": dict, "done": int, "skipped": [[(int, str)]]}


class Embedder(NamedTuple):
    """What makes codes of images."""

    embed: Callable[[np.ndarray], np.ndarray]  # from [B, S, S, 3] uint8 to [B, D] float32; B never changes
    fingerprint: str  # another one wherever the codes are others
    image_size: int  # S
    code_size: int  # D


def build_index(
    folder: Path, where: str, source: Source, embedder: Embedder, kind: Kind, metric: IndexMetric
) -> Index:
    """Embeds a data set, given by name and listed, into a folder, and makes the codes ready for an engine.

    What is there already and still true is kept: codes where images and embedder are the same, and of an
    interrupted call the batches up to the interruption. What is damaged is made anew. The old index is
    there until the new one is. Raises DimError if no image can be read, or there is an index of other data by
    the same name.
    """
    listing = hashlib.sha256(json.dumps([source.made_from, embedder.image_size]).encode()).hexdigest()
    made_by = {"encoder": embedder.fingerprint, "images": listing}
    about = {"data": where, "kind": kind, "metric": metric, "made_by": made_by}
    old = {}
    with suppress(DimError):  # none there, or damaged
        old = read_json(folder / "index.json", ABOUT)
    if old.get("data", where) != where:
        raise DimError(f"{folder} is the index of {old['data']}; remove it, or rename one of the two folders")
    if old.get("made_by") == made_by and (kept := _kept(folder)):
        if old == about and _searchable(kept):
            return kept
        made = folder
    else:
        if old:
            anew = f"images or encoder are not those of {folder}, or it is damaged: embedding anew"
            print(printable(anew), flush=True)
        made = folder.with_name(UNFINISHED + folder.name)
        _embed(made, where, source.recipe(), embedder, made_by)
    try:
        engine_of(kind).write(made, np.load(made / "codes.npy", mmap_mode="r"), metric)
    except ValueError as error:
        raise DimError(f"{folder} cannot be indexed: {error}") from error
    _write_json(made / "index.json", about)
    if made != folder:
        replace_folder(folder, made)
        (folder / "progress.json").unlink()
    return Index(folder)


def _embed(folder: Path, where: str, recipe: Recipe, embedder: Embedder, made_by: dict) -> None:
    """Writes all of an index that does not depend on the engine, and `progress.json`."""
    skipped = write_codes(folder, recipe, embedder, made_by)
    named = [printable(f"{recipe.names[i]}: {reason}") for i, reason in skipped.items()]
    if len(skipped) == len(recipe.sources):
        raise DimError(f"{where}: none of the images can be read, for example {named[0]}")
    write_table(folder / "images.parquet", recipe, skipped)
    (folder / "skipped.txt").unlink(missing_ok=True)
    if named:
        (folder / "skipped.txt").write_text("\n".join(named) + "\n", "utf8")


def write_table(file: Path, recipe: Recipe, skipped: dict[int, str]) -> None:
    """Writes path and label of each image that was not skipped as Parquet."""
    kept = [i for i in range(len(recipe.names)) if i not in skipped]
    paths, labels = [as_unicode(recipe.names[i]) for i in kept], [None] * len(kept)
    if recipe.labels is not None:
        labels = [as_unicode(recipe.class_names[recipe.labels[i]]) for i in kept]
    schema = pyarrow.schema({"path": pyarrow.string(), "label": pyarrow.string()})
    pyarrow.parquet.write_table(pyarrow.table([paths, labels], schema=schema), file)


def write_codes(folder: Path, recipe: Recipe, embedder: Embedder, made_by: dict) -> dict[int, str]:
    """Writes `codes.npy`, the codes [N, D] of all images that can be read, and returns why others cannot.

    Called again after an interruption (any exception, a full disk, the end of the process) it goes on behind
    the last whole batch by `progress.json`, and the codes become those of an uninterrupted call. Where
    `made_by`, what the codes depend on, is another than last time, all begins anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    codes, progress = folder / "codes.npy", folder / "progress.json"
    count, S, D = len(recipe.sources), embedder.image_size, embedder.code_size
    done, skipped = _state(codes, progress, made_by, D, count)
    if done:
        print(f"going on after {done:,} of {count:,} images", flush=True)

    def codes_of(images: dict[int, np.ndarray]) -> np.ndarray:
        batch = np.zeros((BATCH, S, S, 3), "uint8")
        batch[list(images)] = list(images.values())
        return embedder.embed(batch)[list(images)]

    def note(done: int, skipped: dict[int, str]) -> None:
        _write_json(progress, {"made_by": made_by, "done": done, "skipped": list(skipped.items())})

    return write_rows(codes, recipe, (D,), "float32", codes_of, note, "embedding", done, skipped)


def _state(codes: Path, progress: Path, made_by: dict, D: int, count: int) -> tuple[int, dict[int, str]]:
    """How many images are done, and which of them were skipped."""
    with suppress(DimError, OSError, ValueError, TypeError):
        state = read_json(progress, _STATE)
        done, skipped = state["done"], dict(state["skipped"])
        possible = 0 <= done <= count and all(0 <= i < done for i in skipped)
        if possible and state["made_by"] == made_by and codes.stat().st_size >= 4 * D * (done - len(skipped)):
            return done, skipped
    return 0, {}


def _kept(folder: Path) -> Index | None:
    """An index that is there, unless it is damaged."""
    with suppress(DimError):
        return Index(folder)


def _searchable(index: Index) -> bool:
    try:
        return index.engine is not None
    except DimError as error:
        print(printable(error).partition(";")[0] + ": making it anew", flush=True)
        return False


def _write_json(file: Path, content: dict) -> None:
    replace(file, lambda file: file.write_text(json.dumps(content), "utf8"))
