"""Training from the command line: the whole way, interruptions, and what is refused."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

import dim
from dim.training.run import Run
from tests.experiments.conftest import REPOSITORY, SMALL


def codes(tmp_path, run):
    encoder = keras.saving.load_model(tmp_path / "runs" / run / "encoder.keras")
    images = np.random.default_rng(1).integers(0, 256, (5, 16, 16, 3), "uint8")
    return encoder.predict(images, verbose=0)["mean"]


def test_a_run_trains_and_reports_and_a_call_from_python_does_the_same(command, photographs, tmp_path):
    arguments = ["--data", photographs, "--run", "first", "--epochs", 2, *SMALL]
    status, out, err = command("train", *arguments)
    assert status == 0, err
    for word in "photographs", "90 train + 10 val", "preset dim", "float32", "runs/first":
        assert word in out.splitlines()[0]
    assert "epoch 2/2: 100%" in err
    results = json.loads((tmp_path / "runs/first/results.json").read_text())
    assert set(results["accuracy"]) == {"raw pixels", "untrained encoder", "code"}
    assert all(f"{name}" in out for name in results["accuracy"]) and "make knn RUN=first" in out

    with (tmp_path / "runs/first/log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"] and all(float(row["seconds"]) > 0 for row in rows)
    machine = json.loads((tmp_path / "runs/first/machine.json").read_text())["machine"]
    assert machine.endswith(" cores), float32")

    typed = Run("first")
    called = dim.train(typed.configuration(), run="called")
    np.testing.assert_allclose(codes(tmp_path, "first"), codes(tmp_path, "called"), atol=1e-6)
    assert called.read_json(called.results) == typed.read_json(typed.results)


@pytest.mark.slow
def test_a_run_interrupted_and_then_killed_ends_as_if_nothing_had_happened(
    start, command, photographs, tmp_path
):
    arguments = ["--data", photographs, "--epochs", 6, *SMALL, "--views", 2]
    log = tmp_path / "runs/broken/log.csv"

    def stopped(how, after):
        process = start("train", *arguments, "--run", "broken")
        while not (log.exists() and len(log.read_text().splitlines()) > after):  # there is a header
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(how)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    status, out, err = stopped(signal.SIGTERM, after=2)
    assert status == 128 + signal.SIGTERM, err
    assert "the same command goes on from there" in out and "Traceback" not in err
    status, _, err = stopped(signal.SIGKILL, after=4)
    assert status == -signal.SIGKILL, err

    status, out, err = command("train", *arguments, "--run", "broken")
    assert status == 0, err
    assert "going on after epoch" in out and "epoch 1/6" not in err
    with log.open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3", "4", "5", "6"]
    assert command("train", *arguments, "--run", "whole")[0] == 0
    np.testing.assert_array_equal(codes(tmp_path, "broken"), codes(tmp_path, "whole"))


@pytest.mark.slow
def test_a_full_disk_is_said_and_leaves_the_name_free(refused, photographs):
    arguments = ["--data", photographs, "--run", "first", *SMALL]
    limited = ["sh", "-c", 'ulimit -f 200; exec "$@"', "sh"]  # 100 kB; the events of the pictures have more
    for _ in range(2):  # the second is not told of another configuration
        assert "events.out.tfevents" in refused("train", *arguments, inside=limited)
        arguments += ["--gamma", 0.5]


def test_what_cannot_be_a_run_is_refused_before_the_work(refused, photographs, tmp_path):
    arguments = ["--data", photographs, *SMALL]
    assert "evaluate parts runs by commas" in refused("train", *arguments, "--run", "a,b")
    assert "nobody's home folder" in refused("train", *arguments, "--run", "~nobody-at-all/first")
    with Run(f"{tmp_path}/runs/first").alone():
        assert f"is being trained by process {os.getpid()} " in refused("train", *arguments, "--run", "first")
    for i in range(21):
        folder = tmp_path / "one" / ("val/c" if i else "train/c")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(photographs / f"stripes/stripes {i}.png", folder)
    assert "1 training and 20 validation images that can be read; at least 2" in refused(
        "train", "--data", "one", *SMALL
    )
    assert not list((tmp_path / "runs").iterdir())


def test_missing_and_empty_folders_are_refused(refused, tmp_path):
    assert "no data at" in refused("train", "--data", "nowhere")
    (tmp_path / "empty").mkdir()
    assert "holds 0 images" in refused("train", "--data", "empty")
    assert not (tmp_path / "runs").exists()


def test_two_images_are_refused(refused, photographs, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for file in list(photographs.glob("*/*.png"))[:2]:
        shutil.copy(file, few)
    assert "holds 2 images" in refused("train", "--data", few)


def test_a_few_broken_images_are_skipped_and_many_refused(command, refused, photographs, tmp_path):
    for i in range(4):
        for file in list(photographs.glob("*/*.png")):
            if i:
                shutil.copy(file, file.with_stem(f"{file.stem} copy {i}"))
    files = sorted(photographs.glob("*/*.png"))
    files[0].write_bytes(files[0].read_bytes()[:60])
    files[9].write_text("no image")
    status, out, err = command("train", "--data", photographs, *SMALL, "--batch-size", 1000)
    assert status == 1 and "2 unreadable images skipped" in out and "is more than the" in err
    skipped = next((tmp_path).rglob("skipped.txt")).read_text()
    assert files[0].name in skipped and files[9].name in skipped
    for file in files[20:40]:
        file.write_text("no image")
    complaint = refused("train", "--data", photographs, "--run", "second", *SMALL)
    assert "more than 1 %" in complaint and ".png" in complaint


def test_a_wrong_zip_is_refused(refused, tmp_path):
    shutil.make_archive(tmp_path / "other", "zip", tmp_path)
    assert "is not Tiny-ImageNet" in refused("train", "--data", "other.zip")
    (tmp_path / "broken.zip").write_bytes(b"PK no zip at all")
    assert "is not a zip or is damaged" in refused("train", "--data", "broken.zip")


def test_a_full_disk_while_decoding_is_refused_and_leaves_nothing(refused, photographs, tmp_path):
    limited = ["sh", "-c", 'ulimit -f 20; exec "$@"', "sh"]  # files of at most 20 blocks
    assert "cannot write the decoded images" in refused(
        "train", "--data", photographs, *SMALL, inside=limited
    )
    assert not list((tmp_path / "cache").iterdir())


def test_unknown_presets_and_options_are_answered_with_the_nearest(refused):
    assert "did you mean seed?" in refused("train", "--preset", "sed")
    assert "did you mean --epochs?" in refused("train", "--epoch", "3")
    assert "did you mean --against?" in refused("knn", "--agains=val")
    assert "did you mean jsd?" in refused("train", "--objective", "jds")


def test_help_explains_every_option_at_once(fresh):
    started = time.perf_counter()
    status, out, _ = fresh("train", "--help")
    assert status == 0 and time.perf_counter() - started < 2
    assert all(option in out for option in ("--data", "--preset", "--epochs", "--run", "--gamma"))


@pytest.mark.parametrize("name", ["train", "evaluate", "near_duplicates", "benchmark.traffic"])
def test_help_names_the_module_by_which_a_program_is_called(fresh, name):
    assert f"usage: python -m experiments.{name} " in fresh(name, "--help")[1]


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="TensorFlow is the backend")
def test_training_does_not_import_tensorflow(tmp_path, photographs):
    program = (
        "import runpy, sys; sys.argv[1:] = sys.stdin.read().split('|');"
        "runpy.run_module('experiments.train', run_name='__main__');"
        "print('imported' if 'tensorflow' in sys.modules else 'absent')"
    )
    arguments = ["--data", str(photographs), "--epochs", "1", "--run", "first", *SMALL]
    result = subprocess.run(
        [sys.executable, "-c", program],
        input="|".join(arguments),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert f"{keras.backend.backend()} on " in result.stdout.splitlines()[0]
    assert result.stdout.splitlines()[-1] == "absent"
