"""The table and the figure of a comparison of recommenders."""

import numpy as np
import pytest

from dim.data.leave_last_out import leave_last_out
from dim.data.made_ratings import made_ratings
from dim.evaluation.ranking import RankingMetrics
from dim.training.recommending import build_towers
from dim.training.tower_settings import Settings
from experiments.recommend.table import Entry, evaluate, markdown, plot, row


def test_a_row_is_the_mean_over_seeds_with_its_deviation():
    metrics = [RankingMetrics(0.1, 0.2, 0.3, 0.4, None), RankingMetrics(0.3, 0.2, 0.3, 0.4, 0.5)]
    rows = [row(Entry("two", metrics, [], 1.5)), row(Entry("one", metrics[1:], [], None))]
    lines = markdown(rows).splitlines()
    assert lines[2] == "| two | 0.200 ± 0.141 | 0.200 ± 0.000 | 0.300 ± 0.000 | 0.400 ± 0.000 |  | 2 | 1.5 |"
    assert lines[3] == "| one | 0.300 | 0.200 | 0.300 | 0.400 | 0.500 |  |  |"


def test_a_line_is_the_mean_recall_of_the_seeds():
    entries = [Entry("towers", [], [np.array([1, 200]), np.array([50, 50])], None)]
    (line,) = plot(entries).axes[0].lines
    assert line.get_ydata()[[0, 48, 49, 99]] == pytest.approx([25, 25, 75, 75])


def test_all_rank_the_same_films(tmp_path, capsys):
    ratings = made_ratings()
    split = leave_last_out(ratings)
    model = build_towers(Settings(code_size=4), ratings, split)
    evaluate(tmp_path, ratings, split, {"both": [model]}, {"both": [90.0]})
    text = capsys.readouterr().out
    assert "of each of 120 users, among all films that he had not rated before" in text
    rows = [line.split("|")[1].partition("(")[0].strip() for line in text.splitlines() if line[:1] == "|"]
    assert rows[2:] == ["towers, both", "popularity", "item-kNN", "SVD"]
