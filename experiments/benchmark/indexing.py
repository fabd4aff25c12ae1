"""The row of `make index`, from photographs to a searchable index, and the task behind it."""

import shutil
import tempfile
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import numpy as np

from experiments.benchmark.bench import Bench
from experiments.benchmark.table import Row

_MODULE = "experiments.benchmark.indexing"
_DIFFERENT, _SIDES = 50, (96, 1024)


def indexing_rows(bench: Bench) -> list[Row]:
    """Photographs a second, beside the same work with an encoder that takes no time."""
    count, precision = (200 if bench.quick else 10_000), bench.device()["precision"]
    with tempfile.TemporaryDirectory() as folder:
        sizes = {"count": count, "image_size": bench.options.image_size}
        runs, facts = bench.prepare(_MODULE, "indexing", folder=folder, precision=precision, **sizes)
        rates = bench.rates(count, ours=runs["index"], rival=runs["decode"])
    share = median(rates["ours"]) / median(rates["rival"])
    note = f"decoding and writing are {share:.0%} of the time; {facts['megapixels']:.2g} megapixels each"
    what = f"index: {count:,} JPEGs to codes and index, {precision}"
    return [Row.of_rates(what, "images/s", rates, "decoded and written alone", note=note)]


def indexing(folder: str, count: int, precision: str, image_size: int):
    """`build_index` of generated photographs by the encoder `seed`, and by one that does nothing."""
    import keras

    from dim import data
    from dim.encoders import seed_encoder
    from dim.export.onnx_codes import to_codes
    from dim.search.embedder import Embedder
    from dim.search.indexer import build_index

    images, megapixels = Path(folder, "images"), _photographs(Path(folder, "images"), count)
    keras.config.set_dtype_policy(precision)
    encode = to_codes(seed_encoder(image_size, gaussian=False), image_size)
    D = encode(np.zeros((1, image_size, image_size, 3), "uint8")).shape[1]

    def build(embed):
        made = Path(folder, "index")
        shutil.rmtree(made, ignore_errors=True)
        embedder = Embedder(embed, "an encoder", image_size, D)
        build_index(made, str(images), data.listed(str(images), image_size), embedder, "exact", "cosine")

    idle = partial(build, lambda batch: np.ones((len(batch), D), "float32"))
    return {"index": partial(build, encode), "decode": idle}, {"megapixels": megapixels}


def _photographs(folder: Path, count: int) -> float:
    """Fills a folder with JPEGs of mixed size, some of them again and again; the mean of their megapixels."""
    from PIL import Image

    folder.mkdir()
    rng, files, pixels = np.random.default_rng(0), [], []
    for i in range(min(_DIFFERENT, count)):
        size = tuple(int(side) for side in rng.integers(*_SIDES, 2))
        coarse = Image.fromarray(rng.integers(0, 256, (24, 24, 3), "uint8"))
        files.append(folder / f"{i:06}.jpg")
        coarse.resize(size, Image.Resampling.BICUBIC).save(files[-1], quality=90)
        pixels.append(size[0] * size[1])
    for i, file in zip(range(len(files), count), cycle(files), strict=False):
        (folder / f"{i:06}.jpg").hardlink_to(file)
    return float(np.mean(list(islice(cycle(pixels), count)))) / 1e6
