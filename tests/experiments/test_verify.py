"""Verification from the command line: the numbers, the pictures, which images are asked, bad input."""

import json
import shutil

import numpy as np
import pytest
from imageio.v3 import imread

from dim import data
from dim.data import Dataset, Split
from dim.encoders.embedding import embed
from dim.evaluation.baselines import untrained_encoder
from dim.evaluation.verification import Pairs, pair_distances, sample_pairs
from dim.evaluation.verification import verify as measure
from experiments.verify import Options, _errors, plot, verify


@pytest.fixture
def flat(photographs, tmp_path):
    folder = tmp_path / "flat"
    folder.mkdir()
    for file in photographs.rglob("*.png"):
        shutil.copy(file, folder)
    return folder


def test_another_folder_is_asked_as_a_whole(command, initial_run, photographs, tmp_path):
    shutil.copytree(photographs, tmp_path / "others")
    for i in range(30):  # of which no training images would be left if every tenth were held out
        (tmp_path / f"others/alone {i}").mkdir()
        shutil.copy(photographs / "stripes" / f"stripes {i}.png", tmp_path / f"others/alone {i}")
    status, out, err = command("verify", "--run", initial_run.path, "--data", "others", "--pairs", 1500)
    assert status == 0, err
    for word in (
        "others: 1,500 same and 1,500 different pairs of 130 images",
        "raw pixels",
        "AUC",
        "TAR at",
    ):
        assert word in out
    record = json.loads((initial_run.path / "verification.json").read_text("utf8"))
    assert set(record["measured"]) == {"code", "untrained encoder", "raw pixels"}
    split = data.load_whole("others", 16).train
    pairs = sample_pairs(split.labels, 1500)
    codes = embed(initial_run.load().encoder, split.images)
    for name, vectors in ("code", codes), ("raw pixels", split.images.reshape(130, -1)):
        distances = pair_distances(vectors, pairs)
        expected, found = measure(-distances, pairs.same), record["measured"][name]
        assert found["auc"] == pytest.approx(expected.auc, abs=1e-3)
        assert found["threshold"] == pytest.approx(-expected.threshold, abs=1e-3)
        assert found["accuracy"] == pytest.approx(expected.accuracy, abs=5e-3)
        assert found["tar_at_far"]["0.01"] is not None and found["tar_at_far"]["0.001"] is None
    untrained = untrained_encoder(initial_run.configuration(), split.images)
    expected = measure(-pair_distances(embed(untrained, split.images), pairs), pairs.same)
    assert record["measured"]["untrained encoder"]["auc"] == pytest.approx(expected.auc, abs=1e-3)
    assert abs(record["measured"]["code"]["auc"] - expected.auc) > 1e-3  # the run's own is not calibrated
    for name in "verification.png", "verification_errors.png":
        assert imread(initial_run.path / name).std() > 0


@pytest.mark.parametrize("named", [False, True])
def test_of_the_runs_own_data_the_validation_images_are_asked(initial_run, capsys, named):
    where = initial_run.configuration().data if named else ""
    verify(Options(run=str(initial_run.path), metric="l2", data=where))
    out = capsys.readouterr().out
    assert "of 10 validation images, by L2 distance" in out and "too few pairs" in out
    record = json.loads((initial_run.path / "verification.json").read_text("utf8"))
    labels = data.load(record["options"]["data"] or initial_run.configuration().data, 16).val.labels
    same = sum(n * (n - 1) // 2 for n in np.bincount(labels))
    assert record["same_pairs"] == record["different_pairs"] == min(same, 45 - same)


def test_the_figure_has_both_kinds_of_pairs_the_threshold_and_every_curve():
    rng = np.random.default_rng(0)
    same = np.arange(400) < 200
    distances = rng.normal(2 - same, 0.3)
    measured = {name: measure(-distances, same) for name in ("code", "untrained encoder", "raw pixels")}
    left, right = plot(distances, same, measured, "cosine", "title").axes
    assert [text.get_text()[:9] for text in left.get_legend().get_texts()] == [
        "same pair",
        "different",
        "threshold",
    ]
    (line,) = left.lines
    assert line.get_xdata()[0] == pytest.approx(-measured["code"].threshold)
    assert right.get_xscale() == "log" and len(right.lines) == 4
    np.testing.assert_array_equal(right.lines[0].get_ydata(), measured["code"].tar)


def test_what_cannot_be_verified_is_one_line(initial_run, declined, flat, photographs):
    run = str(initial_run.path)
    with declined("flat has no labels", "sub-folder"):
        verify(Options(run=run, data=str(flat)))
    with declined("--pairs must be at least 2"):
        verify(Options(run=run, pairs=1))
    with declined("is not a run"):
        verify(Options(run="nowhere"))
    with declined("nobody's home folder"):
        verify(Options(run=run, data="~nobody at all/pictures"))
    for file in flat.iterdir():  # every image a class of its own
        (flat / file.stem).mkdir()
        file.rename(flat / file.stem / file.name)
    with declined("flat: no class has two members", "two images"):
        verify(Options(run=run, data=str(flat)))


def test_the_nearest_different_pairs_and_the_farthest_same_ones_are_drawn_no_image_twice(monkeypatch):
    drawn = []
    monkeypatch.setattr("dim.pictures.pairs.pair_sheet", lambda *sheet: drawn.append(sheet))
    rows = np.array([*[[2 * i, 2 * i + 1] for i in range(12)], [0, 23], [1, 22]])
    same, distances = np.arange(14) < 6, np.array([*range(12), 0.5, 5.5], float)
    same[13] = True
    labels = np.zeros(24, int)
    images = Split(np.zeros((24, 4, 4, 3), "uint8"), labels, [f"{i}.png" for i in range(24)])
    dataset = Dataset("crowd", images, images, ["one"])
    _errors(images, Pairs(rows, same), distances, dataset, "title")
    ((_, _, _, shown),) = drawn
    assert list(shown) == [0.5, 6, 7, 8, 5.5, 5, 4, 3]
