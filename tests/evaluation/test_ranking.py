"""Ranking metrics against an example by hand."""

import math

import numpy as np
import pytest

from dim.data.leave_last_out import Held
from dim.evaluation.ranking import gains, ranking_metrics, ranks, recall, unrated

NOTHING = np.array([], int)


def test_an_example_by_hand():
    """Three users and twelve films; the second user has rated the two best, the third's film is last."""
    scores = np.tile(np.arange(12, 0, -1.0), (3, 1))
    rated = [NOTHING, np.array([0, 1]), NOTHING]
    held = Held(np.arange(3), np.array([0, 4, 11]), [NOTHING] * 3, rated)
    known = np.arange(12) != 11
    scores = unrated(scores, rated)
    assert np.isinf(scores[1, :2]).all() and np.isfinite(scores).sum() == 34
    assert ranks(scores, held.film).tolist() == [1, 3, 12]
    found = ranking_metrics(scores, held, known)
    assert found.recall_at_10 == pytest.approx(2 / 3)
    assert found.ndcg_at_10 == pytest.approx((1 + 1 / math.log2(4) + 0) / 3)
    assert found.mrr == pytest.approx((1 + 1 / 3 + 1 / 12) / 3)
    assert found.coverage == pytest.approx(12 / 12)  # 0 to 9, and 2 to 11
    assert found.cold_recall_at_100 == 1
    assert ranking_metrics(scores, held, np.ones(12, bool)).cold_recall_at_100 is None


def test_films_that_nobody_is_shown_are_not_covered():
    held = Held(np.arange(2), np.array([3, 4]), [NOTHING] * 2, [NOTHING] * 2)
    scores = np.stack([np.arange(40.0), np.r_[29:-1:-1, 30:40]])  # the same ten first, others last
    assert ranking_metrics(scores, held, np.ones(40, bool)).coverage == 10 / 40


def test_equal_scores_share_the_mean_of_their_ranks():
    assert ranks(np.array([[1.0, 2, 1, 1, 0]]), np.array([2])).tolist() == [3]
    assert ranks(np.zeros((1, 7)), np.array([0])).tolist() == [4]


def test_a_rank_of_ten_counts_and_one_of_eleven_does_not():
    np.testing.assert_allclose(gains(np.array([1, 10, 10.5, 11])), [1, 1 / math.log2(11), 0, 0])
    assert recall(np.array([1, 10, 11, 90]), np.array([1, 10, 100])).tolist() == [0.25, 0.5, 1]


def test_without_users_there_is_nothing_to_measure():
    with pytest.raises(ValueError, match="no user has a film held out"):
        ranking_metrics(np.zeros((0, 5)), Held(NOTHING, NOTHING, [], []), np.ones(5, bool))
