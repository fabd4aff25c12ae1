"""The gauge of collapse at its ends."""

import numpy as np
import pytest

from dim.evaluation.collapse import direction_spread


def test_isotropic_codes_have_spread_one():
    codes = np.random.default_rng(0).normal(size=(20_000, 32))
    assert direction_spread(codes) == pytest.approx(1, abs=0.02)


def test_codes_in_one_direction_have_spread_zero_whatever_their_length():
    lengths = np.random.default_rng(0).uniform(1, 100, (50, 1))
    assert direction_spread(lengths * np.ones((50, 8))) == pytest.approx(0, abs=1e-6)
    assert direction_spread(np.zeros((5, 3))) == 0
