"""Rows of decoding, and the tasks behind them: our cache, tf.io, and Pillow in one thread."""

import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median

import numpy as np

from experiments.benchmark.bench import Bench
from experiments.benchmark.table import Row, alternate, cores

_MODULE = "experiments.benchmark.decode"
_ALONE = "Pillow, one thread"


def decode_rows(bench: Bench) -> list[Row]:
    """JPEGs a second, from files to one array, and how long opening that array takes afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "images"
        count, origin = _collect(bench.options.data, files, 2000 if bench.quick else 20_000)
        where = {"folder": str(files), "cache": f"{folder}/cache"}
        few, size = max(1, count // 10), bench.options.image_size
        runs, facts = bench.prepare(_MODULE, "decoders", size=size, few=few, **where)
        first, opened = runs["ours"](1), runs.pop("open")
        sides = {name: (run, few if name == _ALONE else count) for name, run in runs.items()}
        rates = alternate(sides, 3, 0)
        second = median(opened(1) for _ in range(5))
    ours, limit = rates["ours"], cores() * median(rates[_ALONE])
    what, starting = f"decode: {count:,} {origin}", max(0, first - count / median(ours))
    note = f"limit: Pillow alone × {cores()} cores; starting the workers took {starting:.1f} s"
    rows = [Row(what=what, unit="images/s", ours=median(ours), rival_name=each) for each in facts["absent"]]
    for name in ("tf.io", _ALONE):
        if name in rates:
            both = {"ours": ours, "rival": rates[name]}
            rows.append(Row.of_rates(what, "images/s", both, name, limit=limit, note=note))
    return [*rows, Row(what=f"second start: open {count:,} decoded images", unit="s", ours=second)]


def _collect(where: str, folder: Path, most: int) -> tuple[int, str]:
    """Fills a folder with at most so many JPEG files of a data set, or with generated ones."""
    from dim import data

    source = Path(where or data.default()).expanduser()
    folder.mkdir()
    places = [folder / f"{i:06}.jpg" for i in range(most)]
    if source.is_file():
        with zipfile.ZipFile(source) as archive:
            for place, member in zip(places, filter(_is_jpeg, archive.namelist()), strict=False):
                place.write_bytes(archive.read(member))
    else:
        for place, file in zip(places, sorted(filter(_is_jpeg, source.rglob("*"))), strict=False):
            place.symlink_to(file.resolve())
    if count := len(list(folder.iterdir())):
        return count, f"JPEGs of {source.name}"
    for place, picture in zip(places, cycle(_generated(50)), strict=False):
        place.write_bytes(picture)
    return most, "generated JPEGs"


def _is_jpeg(name: str | Path) -> bool:
    return str(name).lower().endswith((".jpg", ".jpeg"))


def _generated(count: int) -> Iterator[bytes]:
    """JPEGs of 64×64 pixels, about as large as those of photographs."""
    from PIL import Image

    for coarse in np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), "uint8"):
        file = io.BytesIO()
        Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
        yield file.getvalue()


def decoders(folder: str, size: int, cache: str, few: int):
    """Our cache, built anew each time; opening the last one; our decoder in one thread, of some; tf.io."""
    from dim.data import load
    from dim.data.decode import decode_image

    os.environ["DIM_CACHE"] = cache
    files = sorted(Path(folder).iterdir())

    def ours():
        shutil.rmtree(cache, ignore_errors=True)
        load(folder, size)

    def alone():
        for file in files[:few]:
            decode_image(io.BytesIO(file.read_bytes()), size)

    runs, absent = {"ours": ours, "open": partial(load, folder, size), _ALONE: alone}, []
    try:
        runs["tf.io"] = _tensorflow([str(file) for file in files], size)
    except ImportError as error:
        absent.append(f"{type(error).__name__}: {error}")
    return runs, {"absent": absent}


def _tensorflow(files: list[str], size: int):
    """One `tf.data` pipeline with as many calls in parallel as it likes, into one array in memory."""
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")

    def decode_one(file):
        image = tf.io.decode_jpeg(tf.io.read_file(file), channels=3)
        right = tf.reduce_all(tf.shape(image)[:2] == size)
        return tf.ensure_shape(tf.cond(right, lambda: image, lambda: scaled(image)), (size, size, 3))

    def scaled(image):
        side = tf.reduce_min(tf.shape(image)[:2])
        square = tf.image.resize_with_crop_or_pad(image, side, side)
        resized = tf.image.resize(square, (size, size), "bicubic", antialias=True)
        return tf.saturate_cast(tf.round(resized), "uint8")

    images = np.empty((len(files), size, size, 3), "uint8")
    pipeline = tf.data.Dataset.from_tensor_slices(files).map(decode_one, tf.data.AUTOTUNE, deterministic=True)
    pipeline = pipeline.batch(64).prefetch(tf.data.AUTOTUNE)

    def decode():
        for i, batch in enumerate(pipeline.as_numpy_iterator()):
            images[64 * i : 64 * i + len(batch)] = batch

    return decode
