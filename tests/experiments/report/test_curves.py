"""Curves from logs made up for the purpose."""

import json
import math

import pytest

from dim.training.run import Run
from experiments.report import curves as module
from experiments.report.curves import curves, read_log


@pytest.fixture
def run(tmp_path):
    (tmp_path / "runs/first").mkdir(parents=True)
    return Run("first")


@pytest.fixture
def drawn(monkeypatch):
    """Axes of each figure by its title, gathered while `curves` makes them."""
    drawn = {}

    def charts(figures):
        drawn.update({alt: figure.axes[0] for alt, figure in figures})
        return "".join(drawn)

    monkeypatch.setattr(module.elements, "charts", charts)
    return drawn


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_each_kind_of_number_has_its_axes(run, drawn):
    for epoch in 1, 2:
        run.log_epoch(epoch, {"local": 4.0, "local_accuracy": 0.5, "local_bound": 0.1, "loss": 4 / epoch})
    curves(run)
    assert list(drawn) == [
        "loss and its terms",
        "lower bound on mutual information (nats)",
        "accuracy in training (%)",
    ]
    loss, bound, accuracy = drawn.values()
    assert labels(loss) == ["local", "total"] and labels(bound) == labels(accuracy) == ["local"]
    assert loss.lines[1].get_ydata() == pytest.approx([4, 2])
    assert accuracy.lines[0].get_ydata() == pytest.approx([50, 50])


def test_neighbours_stand_beside_the_baselines_of_the_complete_run(run, drawn):
    run.log_epoch(1, {"loss": 1.0, "knn_l2": 0.3, "knn_cosine": 0.4})
    curves(run)
    assert labels(drawn["validation accuracy of 20-NN (%)"]) == ["code, L2", "code, cosine"]
    for name in "untrained encoder", "random encoder":  # the latter of older runs
        accuracy = {"raw pixels": {"cosine": 0.1}, name: {"cosine": 0.2}, "code": {"cosine": 0.4}}
        run.results.write_text(json.dumps({"k": 20, "accuracy": accuracy}))
        curves(run)
        axes = drawn["validation accuracy of 20-NN (%)"]
        assert labels(axes)[2:] == [f"{name}, cosine", "raw pixels, cosine"]
        assert [line.get_ydata()[0] for line in axes.lines] == pytest.approx([30, 40, 20, 10])


def test_before_the_first_epoch_there_is_a_word(run):
    assert "No epoch has been logged" in curves(run)
    run.log.write_text("epoch,loss\n")
    assert "No epoch has been logged" in curves(run)


def test_a_log_of_anything_is_drawn_or_refused_in_one_line(run, declined):
    run.log.write_text("epoch,$x^$,_hidden,loss\n1,1,2,3\n²,1,1,1\n3,1e999,-1e300,nan\n")
    assert read_log(run.log)[0] == [1, 3]
    assert curves(run).count("<img") == 1
    run.log.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")
    with declined("log.csv cannot be used"):
        curves(run)


def test_a_log_with_holes_is_read(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text("epoch,loss,knn_l2\n1,2.5\n2,x,0.5\nthree,1,1\n")
    epochs, logged = read_log(file)
    assert epochs == [1, 2] and set(logged) == {"loss", "knn_l2"}
    assert logged["loss"][0] == 2.5 and math.isnan(logged["loss"][1]) and math.isnan(logged["knn_l2"][0])
