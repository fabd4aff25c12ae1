"""The table by hand, who has seen the classes, the ROC."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.compare.training import Entry
from experiments.compare.verification import caption, markdown, plot, table


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
    assert rows[1]["map_at_r"] == pytest.approx(0.2) and rows[1]["tar"] is None
    assert rows[1]["knn_deviation"] == pytest.approx(0.2 / np.sqrt(2))
    assert rows[2]["knn_deviation"] is None
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
    assert "supervised learned from labels of the very classes" in caption(both, 12, 10_000)
    assert "learned from" not in caption(both[:1], 12, 10_000)
    assert "abacus" in caption(both, 12, 10_000) and "10,000 same" in caption(both, 12, 10_000)


def test_the_roc_has_the_mean_of_the_seeds_in_a_band_the_best_named_first():
    (axes,) = plot(MEASURED).axes
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["metric-supcon, AUC 0.717", "dim, AUC 0.633", "raw pixels, AUC 0.533", "chance"]
    far, tar = axes.lines[1].get_data()
    assert tar[far < 0.01] == pytest.approx(0) and tar[(far > 0.011) & (far < 0.49)] == pytest.approx(0.4)
    assert tar[-1] == 1 and len(axes.collections) == 2
