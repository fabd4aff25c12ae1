"""Embedding by Ray gives what embedding here gives, to the bit, whatever ends on the way."""

import os
from functools import partial
from importlib.util import find_spec

import pytest

from dim.data.rows import BATCH
from dim.search.embedder import coded_here
from dim.search.spread import coded_by_ray
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
