"""Comparing presets: what is trained and what is not, the table by hand, the plot, failures."""

import csv
import json
import re
import signal
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from imageio.v3 import imread
from matplotlib.text import Text

from dim import data
from dim.configuration import Configuration
from dim.encoders.embedding import embed
from dim.evaluation import baselines
from dim.evaluation.baselines import untrained_encoder
from dim.evaluation.knn import knn_accuracies
from experiments.compare import training
from experiments.compare import untrained as untrained_module
from experiments.compare.__main__ import compare
from experiments.compare.plot import plot
from experiments.compare.table import header, markdown, table
from experiments.compare.training import Entry
from experiments.compare.training import Options as CompareOptions
from experiments.compare.untrained import untrained
from experiments.metric_learning import Options as MetricOptions
from experiments.metric_learning import metric_learning
from tests.experiments.conftest import SMALL

ARGS = "--args=" + " ".join(SMALL)


def rows_of(file):
    with file.open(encoding="utf8") as opened:
        return {row["name"]: row for row in csv.DictReader(opened)}


@pytest.mark.slow
def test_an_interrupted_comparison_goes_on_and_a_complete_one_trains_nothing(
    start, command, photographs, tmp_path
):
    arguments = ["--presets", "dim", "--seeds", 0, "--data", photographs, "--epochs", 6, ARGS]
    out = tmp_path / "runs/compare"
    diary, log = out / "dim-seed0/compare.json", out / "dim-seed0/log.csv"
    process = start("compare", *arguments)
    while not diary.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    printed, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "the same command goes on from there" in printed, err
    assert "Traceback" not in err and not (out / "compare.md").exists()
    kept, before = log.read_text(), json.loads(diary.read_text())["seconds"]
    time.sleep(1)
    assert log.read_text() == kept  # the training has ended too

    status, printed, err = command("compare", *arguments)
    assert status == 0, err
    assert "going on after epoch" in (out / "dim-seed0.log").read_text()
    assert json.loads(diary.read_text())["seconds"] > before > 0
    rows = rows_of(out / "compare.csv")
    assert set(rows) == {"dim", "untrained encoder", "raw pixels"}
    accuracy = json.loads((out / "dim-seed0/results.json").read_text())["accuracy"]
    assert float(rows["dim"]["cosine"]) == accuracy["code"]["cosine"]
    assert float(rows["dim"]["l2"]) == accuracy["code"]["l2"]
    assert float(rows["raw pixels"]["l2"]) == accuracy["raw pixels"]["l2"]
    assert int(rows["dim"]["images_seen"]) == 6 * 80  # 90 images are 4 batches of 20
    assert float(rows["dim"]["minutes"]) > 0
    for word in "photographs: 90 train + 10 val", "480 images", "20-NN", " cores), ", "float32", "| dim |":
        assert word in printed
    assert (out / "compare.md").read_text() in printed
    assert imread(out / "compare.png").std() > 0

    noted = {**json.loads(diary.read_text()), "data": "decoding things: 100%"}  # as older ones may have it
    diary.write_text(json.dumps(noted))
    started, files = time.perf_counter(), {file: file.stat().st_mtime_ns for file in out.glob("*-seed0/*")}
    status, again, err = command("compare", *arguments)
    assert status == 0 and time.perf_counter() - started < 5, err
    assert "photographs: 90 train + 10 val" in again and "decoding" not in again
    assert files == {file: file.stat().st_mtime_ns for file in out.glob("*-seed0/*")}
    assert re.findall(r"^\|.*", printed, re.M) == re.findall(r"^\|.*", again, re.M)


@pytest.mark.slow
def test_a_failing_run_is_named_and_the_others_survive(command, photographs, tmp_path):
    (tmp_path / "here/dim-seed3").mkdir(parents=True)
    (tmp_path / "here/dim-seed3/diary.txt").write_text("not a run")
    arguments = ["--presets", "dim", "seed", "--seeds", 3, "--data", photographs, "--epochs", 1]
    status, out, err = command("compare", *arguments, "--out", "here", ARGS)
    assert status == 0 and "Traceback" not in err, err
    rows = rows_of(tmp_path / "here/compare.csv")
    assert "seed 3: " in rows["dim"]["failed"] and "is not empty and not a run" in rows["dim"]["failed"]
    assert rows["dim"]["cosine"] == "" and float(rows["seed"]["cosine"]) > 0
    assert "is not empty and not a run" in out


def test_where_nothing_succeeds_the_first_reason_is_the_error(refused, photographs):
    few = ["--presets", "dim", "--seeds", 0, "--data", photographs, "--args=--image-size 16 --batch-size 91"]
    complaint = refused("compare", *few)
    assert "every run failed" in complaint and "91 is more than" in complaint and "dim-seed0.log" in complaint


def test_what_cannot_be_compared_is_refused_before_anything_is_trained(refused, tmp_path):
    assert "did you mean seed?" in refused("compare", "--presets", "dim", "sed")
    assert "--epochs must be at least 1" in refused("compare", "--epochs", 0)
    assert "must not contain --seed" in refused("compare", "--args=--views 1 --seed=3")
    assert "No closing quotation" in refused("compare", "--args=--views '1")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("program", [compare, metric_learning])
def test_images_without_labels_or_none_at_all_are_refused_before_anything_is_trained(
    program, photographs, tmp_path, declined, monkeypatch
):
    monkeypatch.setattr(training, "_train", lambda *_: pytest.fail("trained"))
    options = {compare: CompareOptions, metric_learning: MetricOptions}[program]
    with declined("blotches has no labels", "sub-folder"):
        program(options(data=str(photographs / "blotches")))
    with declined("no data at"):
        program(options(data="nowhere"))
    assert not (tmp_path / "runs").exists()


def test_tune_is_passed_on_to_every_run(photographs, tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(training.subprocess, "Popen", lambda command, **_: commands.append(command) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        compare(CompareOptions(presets=("dim",), data=str(photographs), tune=True))
    assert commands[0][-1] == "--tune"


def test_ten_seeds_of_each_untrained_encoder_are_measured_once(photographs, tmp_path, monkeypatch):
    def complete(preset, D):
        small = {"image_size": 16, "code_size": D, "precision": "float32", "batch_size": 20}
        one = entry(preset, 0, 0.4)
        one.configuration = Configuration(data=str(photographs), **small)
        return one

    assert list(baselines.SEEDS) == list(range(10))
    monkeypatch.setattr(baselines, "SEEDS", (0, 7))  # for the sake of time
    entries = [complete("dim", 6), complete("other", 6), complete("short", 3)]
    found = untrained(entries, tmp_path)
    assert list(found) == ["untrained encoder (seed, 6 values)", "untrained encoder (seed, 3 values)"]
    accuracies = found["untrained encoder (seed, 6 values)"]
    assert len(accuracies) == 2 and accuracies[0] != accuracies[1]
    dataset = data.load(str(photographs), 16)
    encoder = untrained_encoder(replace(entries[0].configuration, seed=7), dataset.train.images)
    codes = [embed(encoder, split.images) for split in (dataset.train, dataset.val)]
    assert accuracies[1] == pytest.approx(knn_accuracies(*codes, dataset, 20))
    monkeypatch.setattr(untrained_module, "untrained_codes", lambda *_: pytest.fail("measured again"))
    assert untrained(entries, tmp_path) == found
    assert list(untrained(entries[:2], tmp_path)) == ["untrained encoder"]
    (tmp_path / "untrained.json").write_text("[1]")
    with pytest.raises(pytest.fail.Exception, match="measured again"):
        untrained(entries, tmp_path)


def entry(preset, seed, cosine, encoder="seed", failure=""):
    return Entry(
        preset,
        seed,
        Path("out"),
        failure,
        configuration=None if failure else SimpleNamespace(encoder=encoder),
        diary={
            "seconds": 60.0 + 60 * seed,
            "data": "things",
            "machine": "abacus",
            "date": f"2026-01-0{seed + 1}",
        },
        k=20,
        accuracy={
            "code": {"cosine": cosine, "l2": cosine / 2},
            "raw pixels": {"cosine": 0.1, "l2": 0.1},
        },
        curve=[(500, cosine - 0.1), (1000, cosine - 0.05)],
    )


UNTRAINED = {"untrained encoder": [{"cosine": 0.2, "l2": 0.3}, {"cosine": 0.21, "l2": 0.3}]}
ENTRIES = [
    entry("dim", 0, 0.4),
    entry("dim", 1, 0.5),
    entry("seed", 0, 0.15),
    entry("seed", 1, 0.9, failure="the loss became nan | in epoch 1"),
    entry("gone", 0, 0.9, failure="killed by SIGKILL"),
]


def test_the_table_has_mean_and_deviation_over_seeds_in_order_of_accuracy():
    rows = table(ENTRIES, UNTRAINED)
    assert [row["name"] for row in rows] == ["dim", "untrained encoder", "seed", "raw pixels", "gone"]
    best, untrained, one, pixels, gone = rows
    assert best["cosine"] == pytest.approx(0.45) and best["l2"] == pytest.approx(0.225)
    assert best["cosine_deviation"] == pytest.approx(0.1 / np.sqrt(2))
    assert best["minutes"] == pytest.approx(1.5) and best["images_seen"] == 1000 and best["seeds"] == 2
    assert untrained["cosine"] == pytest.approx(0.205) and untrained["seeds"] == 2
    assert one["cosine_deviation"] is None and one["failed"] == "seed 1: the loss became nan | in epoch 1"
    assert pixels["cosine"] == pytest.approx(0.1) and pixels["minutes"] is None
    assert gone["seeds"] == 0 and gone["cosine"] is None

    lines = markdown(rows).splitlines()
    assert lines[2] == "| dim | 45.0 ± 7.1 % | 22.5 ± 3.5 % | 2 | 1,000 | 1.5 |  |"
    assert lines[4].startswith("| seed | 15.0 % | 7.5 % | 1 |") and "nan \\| in" in lines[4]
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert "failed" not in markdown(table(ENTRIES[:2], UNTRAINED))


def test_the_header_names_data_budget_machine_and_day():
    line = header(ENTRIES[:3], 2)
    for piece in "things", "2 epochs", "1,000 images", "20-NN", "abacus", "2026-01-02":
        assert piece in line
    assert len(line.splitlines()) == 1


def test_the_plot_has_a_line_a_preset_a_band_and_both_brackets():
    figure = plot(ENTRIES[:3], table(ENTRIES, UNTRAINED))
    axes = figure.axes[0]
    lines = {tuple(np.round(line.get_ydata(), 6)) for line in axes.lines}
    assert lines == {(35.0, 40.0), (5.0, 10.0), (20.5, 20.5), (10.0, 10.0)}
    assert list(axes.lines[0].get_xdata()) == [500, 1000]
    (band,) = axes.collections
    assert {30.0, 35.0, 40.0, 45.0} == set(np.round(band.get_paths()[0].vertices[:, 1], 6))
    names = [text.get_text() for text in axes.texts]
    assert sorted(names) == ["dim", "raw pixels", "seed", "untrained encoder"]


def test_names_at_line_ends_do_not_touch():
    crowd = [entry(f"preset {i}", 0, 0.4 + i / 1000) for i in range(9)]
    figure = plot(crowd, table(crowd, UNTRAINED))
    figure.draw_without_rendering()
    boxes = sorted(Text.get_window_extent(text).intervaly.tolist() for text in figure.axes[0].texts)
    assert len(boxes) == 11
    assert all(below[1] <= above[0] for below, above in pairwise(boxes))
