"""Metric learning against Deep InfoMax: trained once, the table by hand, the ROC."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from imageio.v3 import imread

from experiments.compare.training import Entry
from experiments.metric_learning import Options, caption, markdown, plot, table
from tests.experiments.conftest import SMALL


def test_it_trains_compares_and_shares_its_runs_with_compare(command, photographs, tmp_path):
    shared = ["--seeds", 0, "--data", photographs, "--epochs", 1, "--args=" + " ".join(SMALL)]
    arguments = ["--presets", "dim", "metric-supcon", *shared]
    status, out, err = command("metric_learning", *arguments)
    assert status == 0 and "Traceback" not in err, out + err
    folder = tmp_path / "runs/compare"
    with (folder / "metric-learning.csv").open(encoding="utf8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"dim", "metric-supcon", "untrained encoder", "raw pixels"}
    assert (rows["dim"]["labels"], rows["metric-supcon"]["labels"]) == ("no", "yes")
    for name, what in ("dim", "code"), ("dim", "raw pixels"), ("metric-supcon", "code"):
        accuracy = json.loads((folder / f"{name}-seed0/results.json").read_text())["accuracy"]
        assert float(rows[name if what == "code" else what]["knn"]) == accuracy[what]["cosine"]
    assert (folder / "metric-learning.md").read_text("utf8") in out and "too few pairs" in out
    assert imread(folder / "roc.png").std() > 0

    status, out, err = command("compare", *arguments)
    assert status == 0 and out.count(": complete") == 2, err


def numbers(level, tar=0.1):
    return {
        "knn": level,
        "map_at_r": level / 2,
        "accuracy": 0.5 + level / 2,
        "auc": 0.5 + level / 3,
        "eer": 0.5 - level / 3,
        "tar": tar,
        "roc": (np.array([0, 0.01, 0.5, 1]), np.array([0, level, 0.8, 1])),
    }


MEASURED = {
    "raw pixels": {0: numbers(0.1)},
    "dim": {0: numbers(0.3, None), 1: numbers(0.5)},
    "metric-supcon": {0: numbers(0.6), 1: numbers(0.7)},
}


def test_the_table_has_means_and_deviations_the_greatest_map_first():
    rows = table(MEASURED, {"dim": False, "metric-supcon": True})
    assert [(row["name"], row["labels"]) for row in rows] == [
        ("metric-supcon", "yes"),
        ("dim", "no"),
        ("raw pixels", ""),
    ]
    assert rows[1]["map_at_r"] == pytest.approx(0.2) and rows[1]["tar"] == ""
    assert rows[1]["knn_deviation"] == pytest.approx(0.2 / np.sqrt(2))
    assert rows[2]["knn_deviation"] == ""
    lines = markdown(rows).splitlines()
    cells = "65.0 ± 7.1 | 32.5 ± 3.5 | 82.5 ± 3.5 | 0.717 ± 0.024 | 28.3 ± 2.4 | 10.0 ± 0.0"
    assert lines[2] == f"| metric-supcon | yes | {cells} |"
    assert lines[3].endswith("| too few pairs |") and lines[4].startswith("| raw pixels |  | 10.0 |")


def test_the_caption_says_who_has_seen_the_classes():
    def entry(preset, needs_labels):
        return Entry(
            preset,
            0,
            Path("out"),
            configuration=SimpleNamespace(needs_labels=needs_labels),
            diary={"data": "things", "machine": "abacus", "date": "2026-01-01"},
            k=20,
            curve=[(500, 0.1)],
        )

    both = [entry("dim", False), entry("supervised", True)]
    assert "supervised learned from labels of the very classes" in caption(both, Options())
    assert "learned from" not in caption(both[:1], Options())
    assert "abacus" in caption(both, Options()) and "10,000 same" in caption(both, Options())


def test_the_roc_has_the_mean_of_the_seeds_in_a_band_the_best_named_first():
    (axes,) = plot(MEASURED).axes
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["metric-supcon, AUC 0.717", "dim, AUC 0.633", "raw pixels, AUC 0.533", "chance"]
    far, tar = axes.lines[1].get_data()
    assert tar[far < 0.01] == pytest.approx(0) and tar[(far > 0.011) & (far < 0.49)] == pytest.approx(0.4)
    assert tar[-1] == 1 and len(axes.collections) == 2
