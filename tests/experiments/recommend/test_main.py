"""`recommend` as a user runs it, on made-up ratings."""

import csv
from pathlib import Path

SMALL = "--epochs", "1", "--code-size", "8", "--batch-size", "500"


def test_it_trains_and_writes_a_table_and_a_figure_and_answers_from_the_same_run(command):
    status, out, err = command("recommend", *SMALL, "--towers", "content", "both", "--run", "first")
    assert status == 0, err
    assert out.startswith("made-up: 3,000 ratings of 200 films by 120 users\n(They are made up. `make data")
    assert "epoch 1/1: 100%" in err
    folder = Path("runs/first")
    text = (folder / "recommend.md").read_text("utf8")
    assert text in out and (folder / "recall.png").stat().st_size > 10_000
    rows = list(csv.DictReader((folder / "recommend.csv").read_text("utf8").splitlines()))
    assert [row["name"] for row in rows[:3]] == ["towers, content", "towers, both", "popularity"]
    assert len(rows) == 5 and all(0 < float(row["ndcg_at_10"]) <= 1 for row in rows)
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert lines[0] == "|  | Recall@10 | NDCG@10 | MRR | coverage | cold Recall@100 | seeds | minutes |"
    assert (folder / "both-seed0/checkpoint.keras").is_file() and (folder / "both-seed0/log.csv").is_file()

    status, out, err = command("recommend", *SMALL, "--run", "first", "--user", "42")
    assert status == 0 and "1 of 1 epochs done" in out and "user 42 liked last:" in out, err


def test_mistakes_are_one_line(refused):
    Path("bad.zip").write_text("no zip")
    assert "bad.zip cannot be used (movies.csv: File" in refused("recommend", "--data", "bad.zip")
    assert "did you mean 99?" in refused("recommend", "--user", "999")
    assert "--epochs must be at least 1" in refused("recommend", "--epochs", "0")
