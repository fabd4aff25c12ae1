"""Correlations are SciPy's, baselines what they say, and nothing is NaN."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from dim.evaluation.graded import correlations, cosines, overlaps, tfidf_cosines


def test_correlations_are_those_of_ranks_and_of_values():
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    found = correlations(np.exp(3 * x), x)
    assert found.spearman == pytest.approx(1) and 0.3 < found.pearson < 0.95
    y = x + rng.normal(size=40)
    assert correlations(x, y).spearman == pytest.approx(spearmanr(x, y).statistic)
    assert correlations(-x, x).spearman == pytest.approx(-1)
    assert correlations(np.ones(5), np.arange(5.0)) == (0, 0)


def test_cosines_are_pair_by_pair_and_zero_without_a_code():
    first, second = np.array([[1.0, 0], [2, 2], [0, 0]]), np.array([[0, 3.0], [1, 1], [1, 0]])
    np.testing.assert_allclose(cosines(first, second), [0, 1, 0], atol=1e-6)


def test_overlaps_and_tfidf_count_words():
    np.testing.assert_allclose(overlaps(["a b C", "", "a"], ["c b d", "", "a a"]), [0.5, 0, 1])
    known = ["the cat", "the dog", "the fish"]
    found = tfidf_cosines(known, ["the cat", "the cat"], ["the dog", "cat cat"])
    assert 0 < found[0] < 0.5 < found[1] < 1  # as rare words count more
