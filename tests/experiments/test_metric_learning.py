"""Metric learning against Deep InfoMax: trained once, in the folder of `compare`."""

import csv
import json

import pytest
from imageio.v3 import imread

from tests.experiments.conftest import SMALL


@pytest.mark.slow
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
