"""Turns and ratios."""

import pytest

from experiments.benchmark.compare import alternate, ratio


def test_sides_take_turns_of_equal_length():
    order = []

    def side(name, seconds):
        def run(times):
            order.append((name, times))
            return seconds * times

        return run

    rates = alternate({"slow": (side("slow", 0.5), 10), "fast": (side("fast", 0.1), 3)}, rounds=3, seconds=2)
    assert rates == {"slow": [pytest.approx(20)] * 3, "fast": [pytest.approx(30)] * 3}
    assert order[4:] == [("slow", 4), ("fast", 20)] * 3


def test_a_turn_is_at_least_one_call():
    assert alternate({"slow": (lambda times: 10.0 * times, 5)}, rounds=2, seconds=1) == {"slow": [0.5, 0.5]}


def test_the_ratio_is_of_the_same_round():
    spread = ratio([2.0, 30.0, 8.0], [1.0, 10.0, 8.0])
    assert (spread.low, spread.median, spread.high) == (1, 2, 3)
