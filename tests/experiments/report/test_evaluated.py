"""Tables of an evaluation made up for the purpose."""

import json
import re

import pytest

from dim.configuration import Configuration
from dim.training.run import Run
from experiments.report.evaluated import evaluated

OPTIONS = {"run": "first", "data": "", "quick": True, "svm": False, "metrics": ["l2"], "supervised": ""}
EVALUATION = {
    "run": "first",
    "preset": "dim",
    "seed": 0,
    "epochs": 12,
    "data": "*crowd* <b>: 100 train + 50 val",
    "train": 100,
    "val": 50,
    "classes": 4,
    "device": "paper",
    "date": "2026-01-01",
    "seconds": 90.0,
    "options": {**OPTIONS, "seed": 0},
    "features": {"code": {"length": 256, "knn5_l2": 0.31}, "pixels": {"length": 4096, "knn5_l2": 0.22}},
    "gauges": {"code": {"rank_me": 41.3, "spectrum": [1, 0.5, 0.1]}},
    "dependence": {"code": {"mutual_information": 3.25, "ceiling": 7.6}},
    "notes": ["less than 1 < 2"],
}
TAGS = {"p", "ul", "li", "h3", "strong", "div", "figure", "img"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}


@pytest.fixture
def run():
    run = Run("first")
    run.claim(Configuration(data="photo-patches"))
    return run


def shown(run, **changes):
    (run.path / "evaluation.json").write_text(json.dumps({**EVALUATION, **changes}))
    return evaluated(run, run.configuration())


def test_tables_baselines_plots_and_the_caveat_of_estimates(run):
    body, command = shown(run)
    assert body.count('<div class="scroll own-first"><table>') == body.count("<table>") == 3
    assert "<td>raw pixels</td>" in body and body.count("<img") == 2
    assert '<td style="text-align: right;">31.0</td>' in body and "<h3>Accuracy</h3>" in body
    assert "Estimates, never scores." in body
    assert "<strong>No estimate from N samples that exceeds ln N bounds anything" in body
    assert "*crowd* &lt;b&gt;" in body and "1 &lt; 2" in body
    assert "gone on since" not in body
    assert command == "python -m experiments.evaluate --run first --quick --metrics l2"


def test_an_evaluation_of_fewer_epochs_says_so(run):
    assert "Evaluated after 5 epochs; the run has gone on" in shown(run, epochs=5)[0]


def test_without_an_evaluation_there_is_the_command(run):
    body, command = evaluated(run, run.configuration())
    assert "has not been evaluated" in body and command == "python -m experiments.evaluate --run first"


def test_nothing_of_an_evaluation_becomes_a_link_a_picture_or_a_tag(run):
    evil = [
        "[x](javascript:alert(1))",
        "![x](http://evil.example/a.png)",
        "[x][r]",
        "[r]: http://evil.example",
        "<http://evil.example>",
        "<img src=http://evil.example>",
        "<script>alert(1)</script>",
        "a@evil.example",
        "$x^$ \x1b | \n# heading",
    ]
    features = {**EVALUATION["features"], **{name: {"knn5_l2": 0.1} for name in evil}}
    rows = {name: {"mutual_information": 1.0} for name in evil}
    body, _ = shown(run, notes=evil, features=features, dependence=rows, data=evil[0], device=evil[5])
    assert set(re.findall(r"<(\w+)", body)) <= TAGS
    assert body.count("<img") == 2 and not re.findall(r"<[^>]*(?:href|src)=.(?!data:)", body)
    for text in "[x](javascript:alert(1))", "![x](http://evil.example/a.png)", "[r]: http://evil.example":
        assert body.count(text) >= 2, text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body and "\x1b" not in body


@pytest.mark.parametrize(
    "changes",
    [
        {"val": 0},
        {"val": 10**400},
        {"epochs": None},
        {"notes": "none"},
        {"features": {"code": []}},
        {"features": {"code": {"length": "long"}}},
        {"gauges": {"code": {"rank_me": 1}}},
        {"gauges": {"code": {"rank_me": [], "spectrum": [1]}}},
        {"options": {**OPTIONS, "seed": 0, "metrics": ["l7"]}},
        {"options": {**OPTIONS, "colour": 0}},
    ],
)
def test_an_evaluation_of_another_form_is_refused_in_one_line(run, declined, changes):
    with declined("evaluation.json cannot be used", "make evaluate RUN=first"):
        shown(run, **changes)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"options": {"metrics": null}}'])
def test_a_damaged_evaluation_is_refused_in_one_line(run, declined, text):
    (run.path / "evaluation.json").write_text(text)
    with declined("evaluation.json cannot be used", "make evaluate RUN=first"):
        evaluated(run, run.configuration())
