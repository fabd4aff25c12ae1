"""Makes the index of a data set of any size, batch by batch."""

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
from tqdm import tqdm

from dim.data.decoding import decoded
from dim.data.recipe import Recipe, Source
from dim.data.rows import write_header
from dim.errors import DimError
from dim.files import UNFINISHED, read_json, replace, replace_folder
from dim.names import as_unicode, printable
from dim.search.index import ABOUT, Index
from dim.training.run import Run

BATCH = 250
_STATE = {"made_by": dict, "done": int, "skipped": [[(int, str)]]}


def build_index(run: Run, encoder, where: str, source: Source, kind: str, metric: str) -> Index:
    """Embeds a data set into the run's folder, and writes a FAISS index of the codes.

    What is there already and still true is kept: codes where images and encoder are the same, and of an
    interrupted call the batches up to the interruption. What is damaged is made anew. The old index is
    there until the new one is.

    Args:
        run: whose folder.
        encoder: of the run.
        where, source: the data set, by name and listed.
        kind, metric: as for `dim.search.faiss_index.write_index`.

    Raises:
        DimError: no image can be read, or there is an index of other data by the same name.
    """
    from dim.encoders import MEAN
    from dim.encoders.embedding import embed_batch, fingerprint

    _, image_size, _, _ = encoder.input_shape
    _, code_size = encoder.output[MEAN].shape
    listing = hashlib.sha256(json.dumps([source.made_from, image_size]).encode()).hexdigest()
    made_by = {"encoder": fingerprint(encoder), "images": listing}
    about = {"data": where, "kind": kind, "metric": metric, "made_by": made_by}
    folder = run.path / "index" / source.name
    old = _about(folder)
    if old.get("data", where) != where:
        raise DimError(f"{folder} is the index of {old['data']}; remove it, or rename one of the two folders")
    if old.get("made_by") == made_by and (kept := _kept(folder)):
        if old != about or not _searchable(kept):
            _write_faiss(folder, kind, metric)
            replace(folder / "index.json", lambda file: file.write_text(json.dumps(about), "utf8"))
        return Index(folder)
    if old:
        print(
            printable(f"images or encoder are not those of {folder}, or it is damaged: embedding anew"),
            flush=True,
        )
    unfinished = folder.with_name(UNFINISHED + folder.name)
    recipe = source.recipe()
    skipped = write_codes(
        unfinished, recipe, lambda images: embed_batch(encoder, images), image_size, code_size, made_by
    )
    if len(skipped) == len(recipe.sources):
        raise DimError(f"{where}: none of the images can be read, for example {_named(recipe, skipped)[0]}")
    write_table(unfinished / "images.parquet", recipe, skipped)
    (unfinished / "skipped.txt").unlink(missing_ok=True)
    if skipped:
        text = "\n".join(_named(recipe, skipped)) + "\n"
        (unfinished / "skipped.txt").write_text(text, "utf8")
    _write_faiss(unfinished, kind, metric)
    _replace(unfinished / "index.json", about)
    replace_folder(folder, unfinished)
    (folder / "progress.json").unlink()
    return Index(folder)


def write_table(file: Path, recipe: Recipe, skipped: list[tuple[int, str]]) -> None:
    """Writes path and label of each image that was read as Parquet."""
    import pyarrow
    import pyarrow.parquet

    bad = {i for i, _ in skipped}
    kept = [i for i in range(len(recipe.names)) if i not in bad]
    labels = [None if recipe.labels is None else recipe.class_names[recipe.labels[i]] for i in kept]
    labels = [None if label is None else as_unicode(label) for label in labels]
    columns = {"path": [as_unicode(recipe.names[i]) for i in kept], "label": labels}
    arrays = {name: pyarrow.array(values, pyarrow.string()) for name, values in columns.items()}
    pyarrow.parquet.write_table(pyarrow.table(arrays), file)


def write_codes(
    folder: Path,
    recipe: Recipe,
    embed: Callable[[np.ndarray], np.ndarray],
    image_size: int,
    code_size: int,
    made_by: dict,
) -> list[tuple[int, str]]:
    """Writes `codes.npy`, the codes [N, D] of all images that can be read, in their order.

    Whatever the number of images, only three batches of them are in memory. Called again after an
    interruption it goes on behind the last whole batch, and the codes become those of an uninterrupted
    call. An interruption is any exception, a full disk, or the end of the process.

    Args:
        folder: of the codes, and of `progress.json`, by which it goes on.
        recipe: the images.
        embed: from images [B, S, S, 3] uint8 to codes [B, D] float32; B is always the same.
        image_size: S.
        code_size: D.
        made_by: what the codes depend on. Where it is another than last time, all begins anew.

    Returns:
        Number and reason of each image that could not be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    codes, progress = folder / "codes.npy", folder / "progress.json"
    count = len(recipe.sources)
    state = _state(codes, progress, made_by, code_size, count)
    skipped = state["skipped"]
    if state["done"]:
        print(f"going on after {state['done']:,} of {count:,} images", flush=True)
    with (
        codes.open("r+b" if state["done"] else "wb") as file,
        closing(decoded(recipe, BATCH, state["done"])) as batches,
        _bar(state["done"], count) as bar,
    ):
        write_header(file, (count, code_size), "float32")
        file.seek(4 * code_size * (state["done"] - len(skipped)), os.SEEK_CUR)
        file.truncate()
        for start, images in batches:
            batch = np.zeros((BATCH, image_size, image_size, 3), "uint8")
            read = [i for i, image in enumerate(images) if not isinstance(image, str)]
            skipped += [(start + i, image) for i, image in enumerate(images) if isinstance(image, str)]
            for i in read:
                batch[i] = images[i]
            if read:
                file.write(np.asarray(embed(batch), "float32")[read].tobytes())
            file.flush()
            _replace(progress, {"made_by": made_by, "done": start + len(images), "skipped": skipped})
            bar.update(len(images))
        file.seek(0)
        write_header(file, (count - len(skipped), code_size), "float32")
    return [(i, reason) for i, reason in skipped]


def _about(folder: Path) -> dict:
    """What an index says of itself; nothing where there is none, or a damaged one."""
    try:
        return read_json(folder / "index.json", ABOUT)
    except DimError:
        return {}


def _kept(folder: Path) -> Index | None:
    """An index that is there, unless it is damaged."""
    try:
        return Index(folder)
    except DimError:
        return None


def _searchable(index: Index) -> bool:
    try:
        return index.faiss is not None
    except DimError as error:
        print(printable(error).partition(";")[0] + ": making it anew", flush=True)
        return False


def _write_faiss(folder: Path, kind: str, metric: str) -> None:
    from dim.search.faiss_index import write_index

    codes = np.load(folder / "codes.npy", mmap_mode="r")
    try:
        replace(folder / "index.faiss", lambda file: write_index(file, codes, kind, metric))
    except ValueError as error:
        raise DimError(f"{folder} cannot be indexed: {error}") from error


def _named(recipe: Recipe, skipped: list[tuple[int, str]]) -> list[str]:
    return [printable(f"{recipe.names[i]}: {reason}") for i, reason in skipped]


def _state(codes: Path, progress: Path, made_by: dict, code_size: int, count: int) -> dict:
    try:
        state = read_json(progress, _STATE)
        done, skipped = state["done"], dict(state["skipped"])
        size = 4 * code_size * (done - len(skipped))
        possible = 0 <= done <= count and all(0 <= i < done for i in skipped) and len(skipped) <= done
        if possible and state["made_by"] == made_by and codes.stat().st_size >= size:
            return state
    except (DimError, OSError, ValueError, TypeError):
        pass
    return {"done": 0, "skipped": []}


def _bar(done: int, count: int) -> tqdm:
    return tqdm(total=count, initial=done, desc="embedding", unit=" images", dynamic_ncols=True)


def _replace(file: Path, content: dict) -> None:
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(json.dumps(content), "utf8")
    unfinished.replace(file)
