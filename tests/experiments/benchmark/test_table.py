"""What the reader sees."""

import pytest

from experiments.benchmark.table import Growth, Row, growth_table, number, table


def test_rates_become_medians_ratio_and_share():
    rates = {"ours": [100.0, 120.0, 140.0], "rival": [50.0, 80.0, 70.0]}
    row = Row.of_rates("step", "images/s", rates, "PyTorch", limit=480.0)
    assert (row.ours, row.rival, row.ratio.median, row.share) == (120, 70, 2, 0.25)
    assert (
        table([row]).splitlines()[2]
        == "| step, images/s | 120 | 70 (PyTorch) | 2.00× (1.50–2.00) | 480 | 25% |  |"
    )


def test_fewer_seconds_are_a_larger_share():
    assert Row(what="start", unit="s", ours=4.0, limit=1.0).share == pytest.approx(0.25)


def test_what_was_not_measured_is_empty():
    row = Row.of_rates("step", "images/s", {"ours": [1234.0]}, "PyTorch not installed")
    assert table([row]).splitlines()[2] == "| step, images/s | 1,234 | (PyTorch not installed) |  |  |  |  |"
    assert table([Row(what="feed", note="failed: a | b")]).endswith("| feed |  |  |  |  |  | failed: a / b |")


def test_growth_is_told_against_the_first():
    rows = [Growth(what="step", size=1024, unit="µs an image", cost=3.0, relative=1.5)]
    assert growth_table(rows).splitlines()[2] == "| step | 1,024 | 3 µs an image | 1.50× |  |"


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0.01234, "0.0123"), (12.34, "12.3"), (1234.5, "1,234"), (0.0, "0")]
)
def test_numbers_have_three_digits(value, text):
    assert number(value) == text
