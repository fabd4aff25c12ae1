"""Indexing from the command line, interrupted and not."""

import os
import signal
import time
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from dim.files import UNFINISHED, exclusive
from dim.search.index import find
from experiments.index import Options, index


def test_an_interrupted_index_goes_on_and_is_that_of_an_uninterrupted_one(
    start, initial_run, photographs, tmp_path, capsys
):
    noise = np.random.default_rng(0).integers(0, 256, (700, 8, 8, 3), "uint8")
    for i, pixels in enumerate(noise):
        Image.fromarray(pixels).save(photographs / f"stripes/more {i}.png")
    progress = initial_run.path / "index/unfinished-photographs/progress.json"
    process = start("index")
    while not progress.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "the same command goes on" in out, err
    assert "Traceback" not in err
    index(Options(run=str(initial_run.path)))
    out = capsys.readouterr().out
    assert "going on after" in out and "800 images" in out
    resumed = np.array(find(initial_run.path).codes)
    (initial_run.path / "index/photographs").rename(tmp_path / "elsewhere")
    index(Options(run=str(initial_run.path)))
    np.testing.assert_array_equal(resumed, find(initial_run.path).codes)


def test_what_cannot_be_read_is_named_and_the_recall_of_an_approximate_index_printed(
    initial_run, photographs, capsys
):
    for i in range(4):
        (photographs / f"stripes/broken {i} ü.jpg").write_text("no image")
    index(Options(run=str(initial_run.path), kind="hnsw", metric="l2"))
    out = capsys.readouterr().out
    assert "100 images of photographs, codes of length 8" in out
    assert "stripes/broken 0 ü.jpg: UnidentifiedImageError" in out and "and 1 more" in out
    assert "index.faiss: hnsw, by l2 distance" in out
    assert "recall@10 against exact search: 1.000 (mean over 100 of the images)" in out
    skipped = (initial_run.path / "index/photographs/skipped.txt").read_text("utf8").splitlines()
    assert len(skipped) == 4
    index(Options(run=str(initial_run.path)))
    assert "recall" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "pieces"),
    [("empty", ["empty", "no images"]), ("nowhere", ["no data at"]), ("a.png", ["a single image"])],
)
def test_where_there_are_no_images_nothing_is_made(data, pieces, initial_run, paint, tmp_path, declined):
    (tmp_path / "empty").mkdir()
    paint("a.png", (1, 2, 3))
    with declined(*pieces):
        index(Options(run=str(initial_run.path), data=data))
    assert not list(initial_run.path.glob("index/*/codes.npy"))


def test_an_index_is_made_by_one_process_at_a_time(initial_run, declined):
    lock = initial_run.path / f"index/{UNFINISHED}photographs.lock"
    lock.parent.mkdir()
    with exclusive(lock, "it"), declined("photographs", "is being made by process", os.getpid()):
        index(Options(run=str(initial_run.path)))


def test_the_address_of_a_cluster_is_for_ray(initial_run, declined):
    with declined("--address", "add --on ray"):
        index(Options(run=str(initial_run.path), address="head:6379"))


@pytest.mark.skipif(find_spec("ray") is not None, reason="ray is installed")
def test_without_ray_nothing_is_begun(initial_run, declined):
    with declined("ray is not installed", "requirements-cluster.txt"):
        index(Options(run=str(initial_run.path), on="ray"))
    assert not (initial_run.path / "index").exists()
