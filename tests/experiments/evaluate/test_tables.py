"""Tables and the CSV file from evaluations made up for the purpose."""

import copy
import csv

import pytest

from dim.evaluation.features import title as row_title
from experiments.evaluate.plot import plot, plots
from experiments.evaluate.record import record
from experiments.evaluate.tables import markdown

CODE = {"length": 256, "knn5_l2": 0.31, "linear": 0.4, "linear_1": 0.2, "linear_1_deviation": 0.015}
CODE |= {"l2_recall_at_1": 0.25, "l2_precision_at_10": None, "ami": 0.1}
EVALUATION = {
    "run": "first",
    "group": "abc",
    "preset": "dim",
    "seed": 0,
    "epochs": 5,
    "prior": "kl",
    "data": "crowd: 100 train + 50 val",
    "train": 100,
    "val": 50,
    "classes": 4,
    "device": "paper",
    "date": "2026-01-01",
    "seconds": 90.0,
    "options": {"metrics": ["l2"], "quick": False},
    "features": {"code": CODE, "untrained conv": {"length": 4096, "knn5_l2": 0.22}},
    "gauges": {"code": {"rank_me": 41.3, "spectrum": [1, 0.5, 0.1]}},
    "dependence": {"code": {"mutual_information": 3.25, "ceiling": 7.6}},
    "notes": ["something was too small"],
}


def other(**changes):
    evaluation = copy.deepcopy(EVALUATION)
    evaluation["features"]["code"]["knn5_l2"] = 0.35
    return {**evaluation, "run": "second", "seed": 1, **changes}


def test_one_run_gives_numbers_and_draws_give_deviations():
    text = markdown([EVALUATION])
    assert "|  | length | 5-NN | linear | linear, 1 % of labels |" in text
    assert "| code | 256 | 31.0 | 40.0 | 20.0 ± 1.5 |" in text
    assert "| untrained encoder: feature map | 4,096 | 22.0 |  |  |" in text
    assert "standard error of 6.9 points" in text  # √(0.4 · 0.6 / 50)
    assert "Precision@10" not in text  # a column without a number
    assert "| code | 3.250 | 7.600 |" in text and "- something was too small" in text


def test_several_runs_give_mean_and_deviation():
    text = markdown([EVALUATION, other()])
    assert "| code | 256 | 33.0 ± 2.8 | 40.0 ± 0.0 | 20.0 ± 0.0 |" in text
    assert "over 2 runs that differ in their seed alone" in text and "seed 0, 1" in text
    assert "which differ in more than their seed" in markdown([EVALUATION, other(group="xyz")])


def test_what_no_run_has_any_part_in_has_no_deviation_over_runs():
    runs = EVALUATION, other()
    features = {"code": CODE, "pixels": {"knn5_l2": 0.22}, "PCA": {"knn5_l2": 0.3}}
    differing = copy.deepcopy(features) | {"PCA": {"knn5_l2": 0.4}}  # of other images, or shorter
    text = markdown([{**run, "features": f} for run, f in zip(runs, (features, differing), strict=True)])
    assert "| raw pixels |  | 22.0 |" in text
    assert "| PCA of pixels |  | 35.0 ± 7.1 |" in text and "| code | 256 | 31.0 ± 0.0 |" in text


def test_a_distance_without_numbers_says_why_in_its_row():
    why = {**CODE, "mahalanobis_left_out": "the vectors do not vary"}
    spread = {**CODE, "mahalanobis_recall_at_1": 0.25, "mahalanobis_map_at_r": 0.5}
    features, options = {"code": why, "PCA": spread}, {"metrics": ["mahalanobis"], "quick": True}
    text = markdown([{**EVALUATION, "features": features, "options": options}])
    assert "| code | the vectors do not vary |  |" in text and "| PCA of pixels | 25.0 | 50.0 |" in text


def test_files_of_older_versions_are_still_read_and_drawn():
    older = {**EVALUATION, "features": {"code": CODE, "random code": CODE}}
    assert "| random encoder: code | 256 |" in markdown([older])
    plot(older)


def test_an_estimate_that_no_sample_of_that_size_can_support_is_not_printed():
    numbers = {"mutual_information": 3.25, "neural_dependency": 5000.0, "ceiling": 7.6}
    text = markdown([{**EVALUATION, "dependence": {"code": numbers}}])
    assert "| code | 3.250 | more than ln N | 7.600 |" in text


def test_without_labels_or_dependence_their_parts_are_missing():
    text = markdown([{**EVALUATION, "features": {}, "dependence": {}}])
    assert "## Accuracy" not in text and "## Dependence" not in text and "## Geometry" in text


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("code", "code"),
        ("untrained hidden", "untrained encoder: hidden layer"),
        ("uncalibrated code", "untrained, uncalibrated: code"),
        ("random hidden", "random encoder: hidden layer"),  # of older files
        ("PCA", "PCA of pixels"),
        ("Gaussians of 2 nats", "Gaussians of 2 nats"),
    ],
)
def test_rows_have_readable_names(name, title):
    assert row_title(name) == title


def lines(file):
    with file.open(encoding="utf8", newline="") as text:
        return list(csv.DictReader(text))


def test_a_file_that_a_spreadsheet_saved_is_gone_on_with_and_anything_else_is_left_alone(tmp_path, declined):
    file = tmp_path / "evaluations.csv"
    record(file, other())
    saved = file.read_text("utf8").replace(",", ";")
    file.write_text(saved, "utf-8-sig")
    record(file, {**EVALUATION, "data": "=cmd"})
    assert [(line["run"], line["data"]) for line in lines(file)] == [
        ("second", "crowd: 100 train + 50 val"),
        ("first", "'=cmd"),
    ]
    record(file, {**EVALUATION, "data": "=cmd"})
    assert len(lines(file)) == 2
    file.write_bytes(b"PK\x03\x04\xff")
    with declined("evaluations.csv cannot be used", "move it away"):
        record(file, EVALUATION)
    assert file.read_bytes() == b"PK\x03\x04\xff"


def test_a_run_has_one_line_and_a_new_column_keeps_the_old_lines(tmp_path):
    file = tmp_path / "evaluations.csv"
    record(file, EVALUATION)
    record(file, other())
    record(file, {**EVALUATION, "gauges": {"code": {"rank_me": 9.0, "new": 1}}})
    second, first = lines(file)
    assert (second["run"], second["code.knn5_l2"], second["code.new"]) == ("second", "0.35", "")
    assert (first["run"], first["code.rank_me"], first["code.new"]) == ("first", "9", "1")
    assert [path.name for path in tmp_path.iterdir()] == ["evaluations.csv"]


@pytest.mark.parametrize("missing", [(), ("features",), ("dependence",)])
def test_there_is_a_panel_for_whatever_there_are_numbers_of(missing):
    evaluation = {**EVALUATION, **{name: {} for name in missing}}
    panels = 1 if "features" in missing else 3
    assert len(plot(evaluation).axes) == panels
    assert [len(figure.axes) for _, figure in plots(evaluation)] == [1] * panels
