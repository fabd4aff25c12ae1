"""The benchmark with short turns and small networks: its table, its failures, its end."""

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from experiments.benchmark.__main__ import KINDS


def rows(tmp_path):
    return json.loads((tmp_path / "runs/benchmark/benchmark.json").read_text())["rows"]


@pytest.mark.slow
def test_search_stands_beside_its_rivals_and_a_row_that_fails_says_why(command, photographs, tmp_path):
    arguments = ["--rows", "encode", "search", "index", "--image-size", 4, "--data", photographs]
    status, out, err = command("benchmark", "--quick", *arguments)
    assert status == 0, err
    assert (
        out.strip()
        == f"{(tmp_path / 'runs/benchmark/benchmark.md').read_text()}\nruns/benchmark/benchmark.md"
    )
    failed, *searches, exact, hnsw, ivf = rows(tmp_path)
    assert "image-size must be at least 8" in failed["note"] and failed["ours"] is None
    rivals = {row["rival_name"]: row for row in searches}
    assert [name.split(",")[0] for name in rivals] == ["FAISS flat", "scikit-learn", "NumPy"]
    for row in rivals.values():
        assert row["ratio"]["low"] <= row["ratio"]["median"] <= row["ratio"]["high"]
        assert row["share"] == pytest.approx(row["ours"] / row["limit"])
    assert rivals["NumPy, query by query"]["ratio"]["low"] > 1
    for row in exact, hnsw, ivf:
        assert row["ours"] > 0 and row["rival"] > 0
        assert float(re.search(r"recall@10 ([.\d]+)", row["note"])[1]) > 0.8
    assert "recall@10 1.000" in exact["note"]
    assert "TFLOP/s in float32" in out and "cores" in out


@pytest.mark.slow
def test_files_are_decoded_and_the_second_start_measured(command, make_tiny_folder, tmp_path):
    folder = make_tiny_folder(tmp_path / "tiny", train=10)
    status, _, err = command("benchmark", "--quick", "--rows", "decode", "--data", folder)
    assert status == 0, err
    *decoding, second = rows(tmp_path)
    assert "36 JPEGs of tiny" in decoding[0]["what"] and decoding[-1]["rival_name"] == "Pillow, one thread"
    assert all(row["ours"] > 0 for row in decoding)
    assert second["unit"] == "s" and 0 < second["ours"] < 1
    assert not (tmp_path / "cache").exists()


@pytest.mark.slow
def test_training_rows_are_measured_at_any_size(command, photographs, tmp_path):
    arguments = ["--image-size", 16, "--batch-sizes", 10, "--presets", "dim", "--data", photographs]
    status, out, err = command(
        "benchmark", "--quick", "--rows", "step", "augmentation", "feed", "encode", "indexing", *arguments
    )
    assert status == 0, err
    found = {row["what"].split(":")[0]: row for row in rows(tmp_path)}
    assert list(found) == ["step", "augmentation", "feed", "encode", "index"]
    assert "decoding and writing are" in found["index"]["note"] and "200 JPEGs" in found["index"]["what"]
    assert all(row["ours"] > 0 for row in found.values()), out
    assert found["step"]["limit"] > 0 and "GFLOP an image" in found["step"]["note"]
    assert found["feed"]["ratio"]["median"] > 0 and "90 images" in found["feed"]["what"]
    step = found["step"]
    assert step["rival"] or step["rival_name"] == "PyTorch not installed"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--presets", "sed"], "--presets cannot be 'sed'; did you mean seed?"),
        (["--batch-sizes", "1"], "at least 2"),
        (["--data", "nowhere"], "no data at"),
        (["--torch-python", "nowhere"], "is not a program"),
        (["--row", "step"], "did you mean --rows?"),
    ],
)
def test_what_cannot_be_measured_is_refused(refused, arguments, complaint):
    assert complaint in refused("benchmark", *arguments)


def test_help_comes_at_once_and_names_every_kind(fresh):
    started = time.perf_counter()
    status, out, _ = fresh("benchmark", "--help")
    assert status == 0 and time.perf_counter() - started < 2
    assert all(kind in out for kind in KINDS)


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks for processes in /proc")
def test_an_interrupt_ends_every_process(start, tmp_path):
    def children():
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink() == tmp_path and b"benchmark.child" in (
                    process / "cmdline"
                ).read_bytes():
                    found.append(process.name)
            except OSError:
                pass
        return found

    process = start("benchmark", "--quick", "--rows", "search")
    while not children():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err
    deadline = time.monotonic() + 60  # one that was just being started ends with the pipe to its parent
    while children() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not children()
