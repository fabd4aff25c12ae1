"""Popularity, item-kNN and the factorised matrix against loops."""

import numpy as np
import pytest

from dim.data.films import interactions
from dim.data.leave_last_out import leave_last_out
from dim.data.made_ratings import made_ratings
from dim.evaluation import recommenders
from dim.evaluation.ranking import ranking_metrics, unrated
from dim.evaluation.recommenders import factorised, item_knn, popularity

SPLIT = leave_last_out(made_ratings())
M = 200
ASKED = [np.array([3, 50, 4]), np.array([], int)]


def test_popularity_counts_and_is_the_same_for_everybody():
    made = popularity(SPLIT, M)
    expected = [sum(film in own for own in SPLIT.liked) for film in range(M)]
    np.testing.assert_array_equal(made.score(ASKED), [expected, expected])


@pytest.mark.parametrize(("k", "n", "block"), [(3, 2, 1000), (5, 10_000, 77)])
def test_item_knn_is_that_of_a_loop(k, n, block, monkeypatch):
    for name, value in (
        ("_NEIGHBOURS", (k,)),
        ("_LAST", (n,)),
        ("_BLOCK", block),
    ):
        monkeypatch.setattr(recommenders, name, value)
    columns = interactions(SPLIT.liked, M).toarray().T
    made = item_knn(SPLIT, M).score(ASKED)
    for film in range(M):
        lengths = np.linalg.norm(columns, axis=1) * np.linalg.norm(columns[film])
        cosines = np.divide(columns @ columns[film], lengths, out=np.zeros(M), where=lengths > 0)
        cosines[film] = 0
        near = np.sort(cosines)[-k]
        # Of equally near ones any may count.
        least = sum(cosines[g] for g in ASKED[0][-n:] if cosines[g] > near + 1e-6)
        most = sum(cosines[g] for g in ASKED[0][-n:] if cosines[g] > near - 1e-6)
        assert least - 1e-5 <= made[0, film] <= most + 1e-5
    assert made[0].any() and not made[1].any()


def test_the_factorised_matrix_is_the_best_of_its_rank(monkeypatch):
    monkeypatch.setattr(recommenders, "_FACTORS", (7,))
    matrix = interactions(SPLIT.liked, M).toarray()
    made = factorised(SPLIT, M)
    assert made.name == "SVD (7 factors)"
    _, _, axes = np.linalg.svd(matrix, full_matrices=False)
    expected = matrix[:5] @ axes[:7].T @ axes[:7]
    np.testing.assert_allclose(made.score(SPLIT.liked[:5]), expected, atol=0.02)


def test_choices_are_those_that_are_best_on_validation(monkeypatch):
    made, known = item_knn(SPLIT, M), np.ones(M, bool)

    def ndcg(score):
        return ranking_metrics(unrated(score(SPLIT.val.liked), SPLIT.val.rated), SPLIT.val, known).ndcg_at_10

    best = ndcg(made.score)
    for k in recommenders._NEIGHBOURS:
        for n in recommenders._LAST:
            with monkeypatch.context() as patch:
                patch.setattr(recommenders, "_NEIGHBOURS", (k,))
                patch.setattr(recommenders, "_LAST", (n,))
                assert ndcg(item_knn(SPLIT, M).score) <= best + 1e-9
