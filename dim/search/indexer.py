"""Makes the index of a data set of any size, batch by batch."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace as replace_fields
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet

from dim.data.dataset import Recipe, Source
from dim.data.rows import write_rows
from dim.errors import DimError
from dim.files import UNFINISHED, read_json, recover_folder, replace, replace_folder
from dim.names import as_unicode, printable
from dim.search.embedder import Embedder
from dim.search.engine import IndexMetric, Kind, engine_of
from dim.search.growth import Growth, growth_of, ids_of, join
from dim.search.index import ABOUT, Index

_TABLE = pyarrow.schema(
    {"path": pyarrow.string(), "label": pyarrow.string(), "id": pyarrow.int64(), "stamp": pyarrow.string()}
)
_NEW = "new"
_STATE = {"made_by": dict, "done": int, "skipped": [[(int, str)]]}


def build_index(
    folder: Path, where: str, source: Source, embedder: Embedder, kind: Kind, metric: IndexMetric
) -> Index:
    """Embeds a data set, given by name and listed, into a folder, and makes the codes ready for an engine.

    What is there already and still true is kept: codes of images that are as they were, by an embedder that
    is, rounded where half precision is wanted now; and of an interrupted call the batches up to the
    interruption. What is damaged is made anew. The old index is there until the new one is. Raises DimError
    if no image can be read, or there is an index of other data by the same name.
    """
    listing = hashlib.sha256(json.dumps([source.made_from, embedder.image_size]).encode()).hexdigest()
    made_by = {"encoder": embedder.fingerprint, "images": listing}
    about = {"data": where, "kind": kind, "metric": metric, "made_by": made_by}
    recover_folder(folder)
    old = {}
    with suppress(DimError):  # none there, or damaged
        old = read_json(folder / "index.json", ABOUT)
    if old.get("data", where) != where:
        raise DimError(f"{folder} is the index of {old['data']}; remove it, or rename one of the two folders")
    kept = _kept(folder) if old else None
    if kept and old["made_by"] == made_by and kept.codes.dtype == embedder.precision:
        if {name: old[name] for name in ABOUT} == about and _searchable(kept):
            return kept
        made, grows, about["next_id"] = folder, False, kept.next_id
    else:
        recipe = source.recipe()
        if kept and not (kept.made_by["encoder"] == embedder.fingerprint and kept.ids and recipe.stamps):
            kept = None
        if kept and kept.codes.dtype not in ("float32", embedder.precision):  # of what was rounded
            kept = None
        if old and not kept:
            anew = f"images, encoder or precision are not those of {folder}, or it is damaged: embedding anew"
            print(printable(anew), flush=True)
        made = folder.with_name(UNFINISHED + folder.name)
        growth, about["next_id"] = _embed(made, where, recipe, embedder, made_by, kept)
        as_before = kept and (kept.kind, kept.metric, kept.codes.dtype) == (kind, metric, embedder.precision)
        grows = as_before and len(growth.rows) == len(kept)
    codes, engine = np.load(made / "codes.npy", mmap_mode="r"), engine_of(kind)
    try:
        engine.extend(folder, made, codes, metric) if grows else engine.write(made, codes, metric)
    except ValueError as error:
        remedy = "; numbers above 65,504 need --codes float32" if codes.dtype == "float16" else ""
        raise DimError(f"{folder} cannot be indexed: {error}{remedy}") from error
    _write_json(made / "index.json", about)
    if made != folder:
        replace_folder(folder, made)
        (folder / "progress.json").unlink(missing_ok=True)
        shutil.rmtree(folder / _NEW, ignore_errors=True)
    return Index(folder)


def _embed(
    folder: Path, where: str, recipe: Recipe, embedder: Embedder, made_by: dict, old: Index | None
) -> tuple[Growth, int]:
    """Writes all of an index that does not depend on the engine; returns its growth and the next free id."""
    growth = growth_of(old, recipe)
    new, part = _only(recipe, growth.new), folder
    if growth.kept:  # what is embedded now is added to their codes in the end
        difference = hashlib.sha256(json.dumps([growth.rows.tolist(), growth.new]).encode()).hexdigest()
        part, made_by = folder / _NEW, {**made_by, "difference": difference}
    skipped = write_codes(part, new, embedder, made_by)
    named = [printable(f"{new.names[i]}: {reason}") for i, reason in skipped.items()]
    if len(skipped) == len(recipe.sources):
        raise DimError(f"{where}: none of the images can be read, for example {named[0]}")
    if growth.kept:
        join(folder / "codes.npy", old.codes, growth.rows, np.load(part / "codes.npy", mmap_mode="r"))
    added = [place for i, place in enumerate(growth.new) if i not in skipped]
    places = [*growth.kept, *added]
    ids, next_id = ids_of(old, recipe, places)
    write_table(folder / "images.parquet", _only(recipe, places), ids)
    (folder / "skipped.txt").unlink(missing_ok=True)
    if named:
        (folder / "skipped.txt").write_text("\n".join(named) + "\n", "utf8")
    if old:
        print(f"+{len(added):,} −{len(old) - len(growth.rows):,} ={len(growth.rows):,}", flush=True)
    return growth, next_id


def _only(recipe: Recipe, places: list[int]) -> Recipe:
    """Of some images, in this order."""

    def at(items):
        return None if items is None else [items[i] for i in places]

    held = {name: at(getattr(recipe, name)) for name in ("sources", "names", "labels", "stamps")}
    return replace_fields(recipe, train=len(places), **held)


def write_table(file: Path, recipe: Recipe, ids: Sequence[int]) -> None:
    """Writes path, label, id and stamp of each image as Parquet."""
    labels = [None] * len(ids)
    if recipe.labels is not None:
        labels = [as_unicode(recipe.class_names[label]) for label in recipe.labels]
    columns = list(map(as_unicode, recipe.names)), labels, ids, recipe.stamps or [None] * len(ids)
    pyarrow.parquet.write_table(pyarrow.table(list(columns), schema=_TABLE), file)


def write_codes(folder: Path, recipe: Recipe, embedder: Embedder, made_by: dict) -> dict[int, str]:
    """Writes `codes.npy`, the codes [N, D] of all images that can be read, and returns why others cannot.

    Called again after an interruption (any exception, a full disk, the end of the process) it goes on behind
    the last whole batch by `progress.json`, and the codes become those of an uninterrupted call. Where
    `made_by`, what the codes depend on, is another than last time, all begins anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    codes, progress = folder / "codes.npy", folder / "progress.json"
    count, D, precision = len(recipe.sources), embedder.code_size, embedder.precision
    made_by = {**made_by, "precision": precision}
    done, skipped = _state(codes, progress, made_by, D * np.dtype(precision).itemsize, count)
    if done:
        print(f"going on after {done:,} of {count:,} images", flush=True)

    def note(done: int, skipped: dict[int, str]) -> None:
        _write_json(progress, {"made_by": made_by, "done": done, "skipped": list(skipped.items())})

    batches = embedder.coded(recipe, done, embedder.embed, embedder.image_size)
    return write_rows(codes, batches, count, (D,), precision, note, "embedding", done, skipped)


def _state(codes: Path, progress: Path, made_by: dict, size: int, count: int) -> tuple[int, dict[int, str]]:
    """How many images are done, and which of them were skipped; a code has so many bytes."""
    with suppress(DimError, OSError, ValueError, TypeError):
        state = read_json(progress, _STATE)
        done, skipped = state["done"], dict(state["skipped"])
        possible = 0 <= done <= count and all(0 <= i < done for i in skipped)
        if possible and state["made_by"] == made_by and codes.stat().st_size >= size * (done - len(skipped)):
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
