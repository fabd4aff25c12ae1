import errno
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import dim
from dim.data.cache import cache_folder, cached
from dim.data.dataset import Recipe, Source

# Turns a number into a grey 4×4 image, and raises where it is more than 255.
GREY = partial(np.full, (4, 4, 3), dtype="uint8")
BAD = 300


def recipe(greys, labels=None, train=None, decode=GREY) -> Recipe:
    return Recipe(
        sources=greys,
        decode=decode,
        names=[f"image {i}" for i in range(len(greys))],
        labels=labels,
        class_names=[] if labels is None else ["even", "odd"],
        train=len(greys) // 2 if train is None else train,
    )


def open_greys(greys, made_from="greys", size=4, **options):
    return cached(Source("greys", made_from, lambda: recipe(greys, **options)), size)


def never() -> Recipe:
    pytest.fail("decoded again")


def entries() -> list[str]:
    return sorted(path.name for path in cache_folder().glob("*"))


@contextmanager
def room_for(size: int):
    """No file may grow over `size` bytes, as if the disk were full there."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_images_labels_names_and_splits_come_back_in_order():
    opened = open_greys([5, 6, 7, 8, 9], labels=[1, 0, 1, 0, 1], train=3)
    assert opened.name == "greys"
    assert opened.class_names == ["even", "odd"]
    assert opened.train.images.dtype == np.uint8
    assert opened.train.images.shape == (3, 4, 4, 3)
    assert opened.train.images[:, 0, 0, 0].tolist() == [5, 6, 7]
    assert opened.val.images[:, 3, 3, 2].tolist() == [8, 9]
    assert opened.train.labels.tolist() == [1, 0, 1]
    assert opened.val.labels.tolist() == [0, 1]
    assert opened.train.names == ["image 0", "image 1", "image 2"]
    assert opened.val.names == ["image 3", "image 4"]


def test_images_are_mapped_from_the_disk_and_read_only():
    opened = open_greys([1, 2])
    assert isinstance(opened.train.images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        opened.train.images[0] = 0


def test_without_labels_there_are_none():
    opened = open_greys([1, 2])
    assert opened.train.labels is None
    assert opened.val.labels is None
    assert not opened.labelled


def test_many_images_decoded_in_parallel_stay_in_order():
    greys = [i * 7 % 256 for i in range(1000)]
    opened = open_greys(greys, train=900)
    assert opened.train.images[:, 0, 0, 0].tolist() == greys[:900]
    assert opened.val.images[:, 0, 0, 0].tolist() == greys[900:]


def test_a_second_opening_decodes_nothing():
    first = open_greys([1, 2, 3], labels=[1, 0, 1])
    second = cached(Source("greys", "greys", never), 4)
    assert np.array_equal(first.train.images, second.train.images)
    assert np.array_equal(first.val.labels, second.val.labels)


def test_what_it_is_made_from_and_the_size_each_have_a_cache():
    open_greys([1, 2])
    assert open_greys([3, 4], made_from="others").train.images[0, 0, 0, 0] == 3
    small = open_greys([5, 6], size=2, decode=partial(np.full, (2, 2, 3), dtype="uint8"))
    assert small.train.images.shape == (1, 2, 2, 3)
    assert cached(Source("greys", "greys", never), 4).train.images[0, 0, 0, 0] == 1


def test_the_cache_lies_where_dim_cache_says_or_in_data(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("DIM_CACHE")
    assert cache_folder() == Path("data/cache")
    open_greys([1, 2])
    assert len(list((tmp_path / "data/cache").iterdir())) == 1


def test_bad_images_are_skipped_and_the_rest_stays_aligned(capsys):
    greys = list(range(200))
    greys[30] = greys[150] = BAD
    opened = open_greys(greys, labels=[i % 2 for i in range(200)], train=100)
    assert (len(opened.train), len(opened.val)) == (99, 99)
    for split in (opened.train, opened.val):
        found = split.images[:, 0, 0, 0]
        assert np.array_equal(split.labels, found % 2)
        assert split.names == [f"image {grey}" for grey in found]
    skipped = (cache_folder() / entries()[0] / "skipped.txt").read_text().splitlines()
    assert [line.split(":")[0] for line in skipped] == ["image 30", "image 150"]
    assert "greys: 2 unreadable images skipped" in capsys.readouterr().out


def test_skipped_images_are_said_again_at_every_opening(capsys):
    open_greys([*range(199), BAD])
    capsys.readouterr()
    cached(Source("greys", "greys", never), 4)
    assert "greys: 1 unreadable images skipped" in capsys.readouterr().out


def test_nothing_is_said_where_nothing_was_skipped(capsys):
    open_greys([1, 2])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("count", [200, 1000], ids=["in one process", "in parallel"])
def test_more_than_one_percent_of_bad_images_is_refused(count, refused):
    greys = [0] * count
    greys[40 : 41 + count // 100] = [BAD] * (1 + count // 100)
    with refused("greys", "more than 1 %", "image 40", "OverflowError", "remove"):
        open_greys(greys)
    assert entries() == []


def test_reasons_of_several_lines_become_one(refused):
    def decode(grey):
        raise ValueError("first\n  second")

    with refused("image 0: ValueError: first second"):
        open_greys([1, 2], decode=decode)


def test_names_of_any_kind_are_written_down_on_one_line():
    def greys() -> Recipe:
        made = recipe([*range(199), BAD])
        return Recipe(**{**vars(made), "names": ["caf\udce9\n\x1b[31m"] * 200})

    assert len(cached(Source("greys", "greys", greys), 4).train.names[0]) == 10
    skipped = (cache_folder() / entries()[0] / "skipped.txt").read_text("utf8")
    assert skipped.startswith(r"caf\udce9\n\x1b[31m: Overflow") and skipped.count("\n") == 1


@pytest.mark.parametrize("count", [500, 1000], ids=["in one process", "in parallel"])
def test_a_full_disk_is_one_line_and_leaves_nothing(count, refused, tmp_path):
    with refused(tmp_path / "cache", "File too large", "0 MB", "DIM_CACHE"), room_for(10_000):
        open_greys([0] * count)
    assert entries() == []
    assert len(open_greys([0] * count, train=count).train) == count


def test_a_disk_that_is_full_after_the_images_leaves_nothing(refused):
    made = recipe([0] * 20)
    long = Recipe(**{**vars(made), "names": ["a long name" * 100] * 20})
    with refused("File too large"), room_for(2_000):
        cached(Source("greys", "greys", lambda: long), 4)
    assert entries() == []


def test_a_cache_folder_that_is_a_file_is_refused(refused, tmp_path):
    (tmp_path / "cache").write_text("")
    with refused(tmp_path / "cache", "DIM_CACHE"):
        open_greys([1, 2])


def interrupted(grey):
    if grey == 100:
        raise KeyboardInterrupt
    return GREY(grey)


def test_an_interrupt_leaves_nothing():
    with pytest.raises(KeyboardInterrupt):
        open_greys(list(range(200)), decode=interrupted)
    assert entries() == []


def test_a_killed_process_leaves_nothing_that_looks_like_a_cache():
    script = """
import os, signal
from tests_of_cache import GREY, open_greys

def killed(grey):
    if grey == 100:
        os.kill(os.getpid(), signal.SIGKILL)
    return GREY(grey)

open_greys(list(range(200)), decode=killed)
"""
    Path("tests_of_cache.py").write_text(Path(__file__).read_text("utf8"), "utf8")
    path = os.pathsep.join([str(Path(dim.__file__).parents[1]), str(Path.cwd())])
    process = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL
    )
    assert process.returncode == -signal.SIGKILL
    assert [name for name in entries() if not name.endswith(".tmp")] == []
    assert entries()
    assert open_greys([1, 2], made_from="other greys").train.images[0, 0, 0, 0] == 1
    assert len(entries()) == 1
    assert open_greys(list(range(200))).train.images[99, 0, 0, 0] == 99


def test_what_is_left_is_swept_unless_somebody_is_at_work_there():
    for name in "left-4-0123.987.tmp", "busy.tmp":
        (cache_folder() / name).mkdir(parents=True)
        (cache_folder() / name / "images.npy").write_bytes(b"half")
    descriptor = os.open(cache_folder() / "busy.tmp", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    open_greys([1, 2])
    assert [name for name in entries() if name.endswith(".tmp")] == ["busy.tmp"]
    os.close(descriptor)
    open_greys([3, 4], made_from="others")
    assert not [name for name in entries() if name.endswith(".tmp")]


def test_what_another_decodes_is_waited_for_and_not_decoded_again(capsys):
    begun = threading.Event()

    def slow(grey):
        begun.set()
        time.sleep(0.05)
        return GREY(grey)

    first = threading.Thread(target=open_greys, args=([1, 2],), kwargs={"decode": slow})
    first.start()
    assert begun.wait(10)
    assert open_greys([1, 2], decode=lambda _: never()).train.images[0, 0, 0, 0] == 1
    first.join()
    assert "waiting for another process" in capsys.readouterr().out
    assert len(entries()) == 1


def test_what_another_left_that_was_killed_meanwhile_is_not_taken_over():
    open_greys([1, 2])
    folder = cache_folder() / entries()[0]
    left = folder.rename(folder.with_name(f"{folder.name}.tmp"))
    (left / "index.json").unlink()
    (left / "skipped.txt").write_text("its own")
    descriptor = os.open(left, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    waiting = threading.Thread(target=open_greys, args=([1, 2],))
    waiting.start()
    time.sleep(0.3)
    os.close(descriptor)
    waiting.join()
    assert entries() == [folder.name]
    assert sorted(file.name for file in folder.iterdir()) == ["images.npy", "index.json"]


def test_decoding_starts_no_process_that_could_outlive_this_one():
    at_work = set()

    def watched(grey):
        at_work.add(os.getpid())
        return GREY(grey)

    open_greys([1] * 1000, decode=watched)
    assert at_work == {os.getpid()}


def test_the_fingerprint_is_of_all_that_a_model_sees():
    def fingerprint(greys, made_from, **changed) -> str:
        made = recipe(greys, labels=[0, 1, 1, 0])
        return cached(Source("greys", made_from, lambda: Recipe(**{**vars(made), **changed})), 4).fingerprint

    first = fingerprint([1, 2, 3, 4], 0)
    assert fingerprint([1, 2, 3, 4], 1) == first
    others = [
        fingerprint([1, 2, 3, 5], 2),
        fingerprint([1, 2, 3, 4], 3, labels=[1, 1, 1, 0]),
        fingerprint([1, 2, 3, 4], 4, train=3),
        fingerprint([1, 2, 3, 4], 5, names=["a", "b", "c", "d"]),
        fingerprint([1, 2, 3, 4], 6, class_names=["even", "strange"]),
    ]
    assert len({first, *others}) == 6


@pytest.mark.parametrize("where", ["", "~/decoded"])
def test_an_empty_dim_cache_is_none_and_a_tilde_is_home(where, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DIM_CACHE", where)
    assert cache_folder() == (tmp_path / "decoded" if where else Path("data/cache"))


def test_the_index_can_be_read_without_this_library():
    open_greys([1, 2, BAD, *range(200)], labels=[0] * 203, train=3)
    folder = cache_folder() / entries()[0]
    index = json.loads((folder / "index.json").read_text())
    assert np.load(folder / "images.npy").shape == (202, 4, 4, 3)
    assert index["train"] == 2
    assert len(index["names"]) == len(index["labels"]) == 202


def test_a_damaged_cache_is_said_with_the_remedy(refused):
    cached(Source("grey", 0, lambda: recipe([1, 2, 3, 4])), 4)
    file = next(cache_folder().glob("*/images.npy"))
    file.write_bytes(file.read_bytes()[:150])
    with refused(file.parent, "is damaged", "remove it"):
        cached(Source("grey", 0, lambda: recipe([1, 2, 3, 4])), 4)


@pytest.mark.parametrize("kept", ["index.json", "images.npy"])
def test_a_cache_is_not_blamed_where_too_many_files_are_open(kept, monkeypatch, no_more_files):
    source = Source("grey", 0, lambda: recipe([1, 2, 3, 4]))
    cached(source, 4)
    if kept == "images.npy":  # the first that is opened then
        monkeypatch.setattr("dim.data.cache.read_json", lambda *_: {})
    with no_more_files(), pytest.raises(OSError) as caught:
        cached(source, 4)
    assert caught.value.errno == errno.EMFILE and caught.value.filename.endswith(kept)


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": [0, 1, 2, 9]},
        {"labels": ["cat"] * 4},
        {"labels": [0]},
        {"names": [1, 2, 3, 4]},
        {"names": ["a"]},
        {"train": -1},
        {"train": None},
        {"class_names": "cats"},
        {"skipped": "2"},
    ],
)
def test_an_index_of_another_form_is_said_with_the_remedy(changes, refused):
    def of_cats():
        return cached(Source("grey", 0, lambda: recipe([1, 2, 3, 4], labels=[0, 1, 0, 1])), 4)

    of_cats()
    file = next(cache_folder().glob("*/index.json"))
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    with refused(file.parent, "is damaged", "remove it"):
        of_cats()
