"""The program as a whole: one table, all figures, one line for a mistake."""

import re

from imageio.v3 import imread

FIGURES = ["balls", "bounds_best_critic", "bounds_trained", "breast_cancer"]
FIGURES += ["space_worms", "two_directions", "uniform_and_binomial"]


def test_it_writes_one_table_and_all_figures(command, tmp_path):
    status, printed, err = command("measures", "--steps", 20, "--splits", 2, "--out", "here")
    assert status == 0, err
    assert sorted(file.stem for file in (tmp_path / "here").glob("*.png")) == FIGURES
    for figure in FIGURES:
        assert imread(tmp_path / f"here/{figure}.png").std() > 10
    table = (tmp_path / "here/measures.md").read_text("utf8")
    assert table in printed
    rows = [re.split(r" (?<!\\)\| ", line.strip("| \n")) for line in table.splitlines()]
    assert rows[0] == ["quantity", "source", "ours", "remark"]
    assert all(len(row) == 4 for row in rows[2:]) and "nan" not in table
    for wanted in (
        "3.2622 bits",
        "0.1367 nats",
        "0.4273 nats",
        "7.5194 nats",
        "1.6344 nats",
        "infinite in 100.0%",
    ):
        assert wanted in table
    for bound in "InfoNCE", "NWJ", "Donsker-Varadhan", "MINE":
        assert f"{bound}, trained" in table


def test_options_out_of_range_are_one_line(refused):
    assert "--steps must be at least 20" in refused("measures", "--steps", 3)
