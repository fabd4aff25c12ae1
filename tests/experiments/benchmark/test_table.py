"""Turns, ratios, and what the reader sees."""

import pytest

from experiments.benchmark.table import Row, alternate, number, ratio, table


def test_rates_become_medians_ratio_and_share():
    rates = {"ours": [100.0, 120.0, 140.0], "rival": [50.0, 80.0, 70.0]}
    row = Row.of_rates("step", "images/s", rates, "PyTorch", limit=480.0)
    assert (row.ours, row.rival, row.ratio["median"], row.share) == (120, 70, 2, 0.25)
    assert (
        table([row]).splitlines()[2]
        == "| step, images/s | 120 | 70 (PyTorch) | 2.00× (1.50–2.00) | 480 | 25% |  |"
    )


def test_what_was_not_measured_is_empty():
    row = Row.of_rates("step", "images/s", {"ours": [1234.0]}, "PyTorch not installed")
    assert table([row]).splitlines()[2] == "| step, images/s | 1,234 | (PyTorch not installed) |  |  |  |  |"
    assert table([Row(what="feed", note="failed: a | b")]).endswith(
        "| feed |  |  |  |  |  | failed: a / b |\n"
    )


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0.01234, "0.0123"), (12.34, "12.3"), (1234.5, "1,234"), (0.0, "0")]
)
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


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
    assert spread == {"low": 1, "median": 2, "high": 3}
