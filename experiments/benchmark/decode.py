"""Rows of decoding, and the tasks behind them: our cache, tf.io, and Pillow in one thread."""

import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from experiments.benchmark.bench import Bench
from experiments.benchmark.compare import alternate
from experiments.benchmark.machine import cores
from experiments.benchmark.table import Row

_MODULE = "experiments.benchmark.decode"
_JPEG = ".jpg", ".jpeg"


def decode_rows(bench: Bench) -> Iterator:
    """JPEGs a second, from files to one array, and how long opening that array takes afterwards."""
    yield "decode", partial(_decode, bench)


def _decode(bench) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "images"
        count, origin = _collect(bench.options.data, files, 2000 if bench.quick else 20_000)
        arguments = {"folder": str(files), "size": bench.options.image_size}
        prepare = bench.child(_MODULE).prepare
        runs, _ = prepare("ours", cache=f"{folder}/cache", **arguments)
        first = runs["decode"](1)
        alone, facts = prepare("pillow", most=count // 10, **arguments)
        sides = {"ours": (runs["decode"], count), "pillow": (alone["decode"], facts["images"])}
        reason = ""
        try:
            sides["tensorflow"] = prepare("tensorflow", **arguments)[0]["decode"], count
        except Exception as error:
            reason = str(error)
        rates = alternate(sides, 3, 0)
        second = [runs["open"](1) for _ in range(5)]
    started = first - count / median(rates["ours"])
    what = f"decode: {count:,} {origin}"
    limit = cores() * median(rates["pillow"])
    note = f"limit: Pillow alone × {cores()} cores; starting the workers took {max(started, 0):.1f} s"
    rows = [
        Row.of_rates(
            what, "images/s", {"ours": rates["ours"], "rival": rates[rival]}, name, limit=limit, note=note
        )
        for rival, name in (("tensorflow", "tf.io"), ("pillow", "Pillow, one thread"))
        if rival in rates
    ]
    if reason:
        rows.insert(0, Row(what=what, unit="images/s", ours=median(rates["ours"]), rival_name=reason))
    return [*rows, Row(what=f"second start: open {count:,} decoded images", unit="s", ours=median(second))]


def _collect(where: str, folder: Path, most: int) -> tuple[int, str]:
    """Fills a folder with at most so many JPEG files of a data set, or with generated ones."""
    from dim import data

    where = where or data.default()
    folder.mkdir()
    if where == data.PHOTO_PATCHES:
        _generate(folder, most)
        return most, "generated JPEGs"
    source = Path(where).expanduser()
    if source.is_file():
        with zipfile.ZipFile(source) as archive:
            members = [m for m in archive.namelist() if m.lower().endswith(_JPEG)][:most]
            for i, member in enumerate(members):
                (folder / f"{i:06}.jpg").write_bytes(archive.read(member))
    else:
        members = sorted(f for f in source.rglob("*") if f.suffix.lower() in _JPEG)[:most]
        for i, member in enumerate(members):
            (folder / f"{i:06}.jpg").symlink_to(member.resolve())
    if not members:
        _generate(folder, most)
        return most, "generated JPEGs"
    return len(members), f"JPEGs of {source.name}"


def _generate(folder: Path, count: int) -> None:
    """JPEGs of 64×64 pixels, about as large as those of photographs."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for i in range(count):
        if i < 50:  # the rest are copies
            coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), "uint8"))
            coarse.resize((64, 64), Image.Resampling.BICUBIC).save(folder / f"{i:06}.jpg", quality=90)
        else:
            shutil.copyfile(folder / f"{i % 50:06}.jpg", folder / f"{i:06}.jpg")


def ours(folder: str, size: int, cache: str):
    """Our cache: `decode` builds it anew each time, `open` opens the last one."""
    from dim.data import load

    os.environ["DIM_CACHE"] = cache

    def decode(times):
        for _ in range(times):
            shutil.rmtree(cache, ignore_errors=True)
            load(folder, size)

    def open_again(times):
        for _ in range(times):
            load(folder, size)

    return {"decode": decode, "open": open_again}, {}


def tensorflow(folder: str, size: int):
    """One `tf.data` pipeline with as many calls in parallel as it likes, into one array in memory."""
    import numpy as np
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")
    files = sorted(str(file) for file in Path(folder).iterdir())

    def decode_one(file):
        image = tf.io.decode_jpeg(tf.io.read_file(file), channels=3)
        height, width = tf.shape(image)[0], tf.shape(image)[1]

        def scaled():
            side = tf.minimum(height, width)
            square = tf.image.resize_with_crop_or_pad(image, side, side)
            scaled = tf.image.resize(square, (size, size), "bicubic", antialias=True)
            return tf.saturate_cast(tf.round(scaled), "uint8")

        right = (height == size) & (width == size)
        return tf.ensure_shape(tf.cond(right, lambda: image, scaled), (size, size, 3))

    images = np.empty((len(files), size, size, 3), "uint8")
    pipeline = tf.data.Dataset.from_tensor_slices(files).map(decode_one, tf.data.AUTOTUNE, deterministic=True)
    pipeline = pipeline.batch(64).prefetch(tf.data.AUTOTUNE)

    def decode(times):
        for _ in range(times):
            start = 0
            for batch in pipeline.as_numpy_iterator():
                images[start : start + len(batch)] = batch
                start += len(batch)

    return {"decode": decode}, {}


def pillow(folder: str, size: int, most: int):
    """Our decoder of one image, in one thread."""
    from dim.data.decode import decode_image

    files = sorted(Path(folder).iterdir())[: max(1, most)]

    def decode(times):
        for _ in range(times):
            for file in files:
                decode_image(io.BytesIO(file.read_bytes()), size)

    return {"decode": decode}, {"images": len(files)}


TASKS = {"ours": ours, "tensorflow": tensorflow, "pillow": pillow}
