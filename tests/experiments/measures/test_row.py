"""The table of `measures`."""

from experiments.measures.row import Row, markdown


def test_a_row_is_a_line_with_bars_escaped_and_gaps_marked():
    rows = [Row("KL(p | q)", "0.1", "0.2", "wrong"), Row("H", "", "3")]
    assert markdown(rows).splitlines() == [
        "| quantity | source | ours | remark |",
        "| --- | ---: | ---: | --- |",
        r"| KL(p \| q) | 0.1 | 0.2 | wrong |",
        "| H | — | 3 |  |",
    ]
