"""Embedding by Ray gives what embedding here gives, to the bit, whatever ends on the way."""

import os
import shutil
from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest

from dim.data.rows import BATCH
from dim.search.embedder import coded_here
from dim.search.index import find
from dim.search.spread import coded_by_ray
from tests.search.conftest import EMBEDDER, RUN, N
from tests.search.images import decode, embed, end_once, end_this_process, recipe, write

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of Ray's
    pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed"),
    pytest.mark.usefixtures("ray_here"),
]


def test_codes_and_reasons_are_those_of_this_process_alone(by_this_process, tmp_path):
    skipped = write(tmp_path / "ray", recipe(), coded_by_ray)
    assert ((tmp_path / "ray/codes.npy").read_bytes(), skipped) == by_this_process


@pytest.mark.parametrize(("first", "then"), [(coded_by_ray, coded_here), (coded_here, coded_by_ray)])
def test_what_was_interrupted_goes_on_with_ray_or_without(first, then, by_this_process, tmp_path):
    def interrupted(*arguments):
        batches = first(*arguments)
        yield from (next(batches) for _ in range(3))
        batches.close()
        raise KeyboardInterrupt

    begun = []

    def watched(recipe, start, *rest):
        begun.append(start)
        return then(recipe, start, *rest)

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "ray", recipe(), interrupted)
    skipped = write(tmp_path / "ray", recipe(), watched)
    assert begun == [3 * BATCH]
    assert ((tmp_path / "ray/codes.npy").read_bytes(), skipped) == by_this_process


def test_every_image_comes_once_though_processes_are_killed(by_this_process, tmp_path):
    def embed_or_end(images):
        if images.any():  # a coder that opens embeds black ones
            end_once(tmp_path / "embedding")
        return embed(images)

    broken = recipe(**{f"image{BATCH + 7}": partial(end_once, tmp_path / "decoding")})
    skipped = write(tmp_path / "ray", broken, coded_by_ray, embed_or_end)
    assert (tmp_path / "decoding").exists() and (tmp_path / "embedding").exists()
    assert ((tmp_path / "ray/codes.npy").read_bytes(), skipped) == by_this_process


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_an_index_grows_as_it_grows_in_this_process_alone(precision, make, pets, paint, tmp_path):
    here = EMBEDDER._replace(precision=precision)
    there, before = here._replace(coded=coded_by_ray), tmp_path / "before"

    def files(embedder):
        folder = make("hnsw", embedder=embedder).folder
        return {file.name: file.read_bytes() for file in folder.iterdir()}, folder

    first, folder = files(there)
    shutil.copytree(folder, before)
    shutil.rmtree(folder)
    assert files(here)[0] == first and "cat/zzz.jpg" in first["skipped.txt"].decode()
    rng = np.random.default_rng(0)
    for i in range(BATCH + 20):
        paint(pets / f"dog/new {i}.png", tuple(rng.integers(0, 256, 3)), (8, 8))
    paint(pets / "cat/02 ü.png", (90, 80, 70), (40, 40))
    (pets / "dog/05 ü.png").unlink()
    grown, _ = files(here)
    shutil.rmtree(folder)
    before.rename(folder)
    assert files(there)[0] == grown
    assert len(find(RUN)) == N + BATCH + 20 - 1


def test_images_that_end_every_process_are_named(tmp_path, refused):
    with refused(f"{BATCH} ü.png and the images behind it were lost 5 times"):
        write(tmp_path, recipe(**{f"image{BATCH + 7}": end_this_process}), coded_by_ray)


def test_a_node_that_cannot_read_what_this_machine_can_is_one_line(tmp_path, refused):
    here = os.getpid()

    def missing(source):
        if os.getpid() != here and source[0] == BATCH + 1:
            raise FileNotFoundError(2, "No such file or directory", "/data/301.png")
        return decode(source)

    with refused("node ", f"cannot read {BATCH + 1} ü.png", "/data/301.png", "by the same path"):
        write(tmp_path, recipe(missing), coded_by_ray)
