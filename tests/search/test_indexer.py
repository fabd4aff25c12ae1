"""From images to codes on disk: whole, in order, and from where an interruption left off."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow.parquet
import pytest

from dim.data.dataset import Recipe
from dim.data.rows import BATCH
from dim.search.embedder import Embedder
from dim.search.indexer import write_codes, write_table

GREY = partial(np.full, (4, 4, 3), dtype="uint8")
BAD = 300
N = 3 * BATCH + 20
MADE_BY = {"encoder": "one"}


def recipe(greys, decode=GREY, labels=None) -> Recipe:
    names = [f"{i} ü.png" for i in range(len(greys))]
    return Recipe(greys, decode, names, labels, ["even", "odd"] if labels else [], len(greys))


def greys_of(count=N):
    return [i * 7 % 256 for i in range(count)]


def embed(images):
    """A code of two numbers: grey level, and its square."""
    assert images.shape == (BATCH, 4, 4, 3) and images.dtype == np.uint8
    grey = images[:, 1, 2, 0].astype("float32")
    return np.stack([grey, grey**2], axis=1)


def write(folder, recipe, embed=embed, made_by=MADE_BY):
    return write_codes(folder, recipe, Embedder(embed, "one", 4, 2), made_by)


def greys_in(folder):
    codes = np.load(folder / "codes.npy", mmap_mode="r")
    np.testing.assert_array_equal(codes[:, 1], codes[:, 0] ** 2)
    assert codes.dtype == np.float32
    return codes[:, 0].tolist()


@pytest.mark.parametrize("count", [1, BATCH, N])
def test_codes_come_in_order_and_complete(count, tmp_path):
    assert write(tmp_path, recipe(greys_of(count))) == {}
    assert greys_in(tmp_path) == greys_of(count)


def test_images_that_cannot_be_read_are_named_and_left_out(tmp_path):
    greys = greys_of()
    greys[3] = greys[BATCH] = greys[N - 1] = BAD
    skipped = write(tmp_path, recipe(greys))
    assert list(skipped) == [3, BATCH, N - 1] and "OverflowError" in skipped[3]
    assert greys_in(tmp_path) == [grey for grey in greys if grey != BAD]


def test_a_whole_batch_of_unreadable_images_is_left_out(tmp_path):
    greys = greys_of()
    greys[BATCH : 2 * BATCH] = [BAD] * BATCH
    assert len(write(tmp_path, recipe(greys))) == BATCH
    assert greys_in(tmp_path) == greys[:BATCH] + greys[2 * BATCH :]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("No space left on device")])
@pytest.mark.parametrize("batches", [0, 1, 3])
def test_an_interrupted_call_goes_on_after_the_last_whole_batch(batches, error, tmp_path, capsys):
    greys = greys_of()
    greys[5] = greys[BATCH + 1] = BAD
    calls = []

    def interrupted(images):
        if len(calls) == batches:
            raise error
        calls.append(images)
        return embed(images)

    with pytest.raises((KeyboardInterrupt, OSError)):
        write(tmp_path, recipe(greys), interrupted)
    with (tmp_path / "codes.npy").open("ab") as file:
        file.write(b"half a batch" * 100)  # as a killed process may leave it
    decoded = []

    def counted(grey):
        decoded.append(grey)
        return GREY(grey)

    skipped = write(tmp_path, recipe(greys, counted))
    assert len(decoded) == N - batches * BATCH
    assert ("going on after" in capsys.readouterr().out) == bool(batches)
    write(tmp_path / "at once", recipe(greys))
    assert (tmp_path / "codes.npy").read_bytes() == (tmp_path / "at once/codes.npy").read_bytes()
    assert list(skipped) == [5, BATCH + 1]


def test_codes_of_other_origin_are_not_gone_on_with(tmp_path):
    for made_by, shift in (MADE_BY, 0), ({"encoder": "other"}, 1):
        write(tmp_path, recipe([(grey + shift) % 256 for grey in greys_of()]), made_by=made_by)
    assert greys_in(tmp_path) == [(grey + 1) % 256 for grey in greys_of()]


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"made_by": MADE_BY})])
def test_a_damaged_note_of_progress_means_to_begin_anew(content, tmp_path):
    write(tmp_path, recipe(greys_of(40)))
    (tmp_path / "progress.json").write_text(content)
    write(tmp_path, recipe(greys_of()))
    assert greys_in(tmp_path) == greys_of()


def test_decoding_runs_ahead_of_embedding_by_a_few_batches_only(tmp_path):
    decoded, embedded, ahead = [], [], []

    def counted(grey):
        decoded.append(grey)
        return GREY(grey)

    def watched(images):
        ahead.append(len(decoded) - len(embedded) * BATCH)
        embedded.append(images.shape)
        return embed(images)

    write(tmp_path, recipe(greys_of(12 * BATCH), counted), watched)
    assert len(decoded) == 12 * BATCH
    assert max(ahead) <= 3 * BATCH


def test_the_table_has_path_and_label_of_what_was_read(tmp_path):
    write_table(tmp_path / "a.parquet", recipe([1, 2], labels=[1, 0]), [4, 7])
    expected = {"path": ["0 ü.png", "1 ü.png"], "label": ["odd", "even"], "id": [4, 7], "stamp": [None, None]}
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pydict() == expected
    write_table(tmp_path / "b.parquet", replace(recipe([1]), stamps=["9 12"]), [0])
    expected = {"path": ["0 ü.png"], "label": [None], "id": [0], "stamp": ["9 12"]}
    assert pyarrow.parquet.read_table(tmp_path / "b.parquet").to_pydict() == expected
    odd = Recipe([1], GREY, ["caf\udce9.png"], None, [], 1)
    write_table(tmp_path / "c.parquet", odd, [0])
    assert pyarrow.parquet.read_table(tmp_path / "c.parquet")["path"].to_pylist() == [r"caf\udce9.png"]
