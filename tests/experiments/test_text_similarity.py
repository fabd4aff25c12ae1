"""make text-similarity: table, scatter and neighbours, and the answer to a query."""

import csv

import numpy as np
import pytest


@pytest.fixture
def benchmark(tmp_path):
    """Sentences of twenty words; a pair is as alike as it has words in common."""
    folder, rng = tmp_path / "sts", np.random.default_rng(0)
    folder.mkdir()
    for part, count in ("train", 130), ("dev", 30), ("test", 40):
        rows = []
        for i in range(count):
            one, shared = rng.integers(0, 20, 6), i % 7
            other = np.concatenate([one[:shared], rng.integers(20, 40, 6 - shared)])
            texts = (" ".join(f"word{k}" for k in side) for side in (one, other))
            rows.append("\t".join(["g", "f", "2015", str(i), f"{5 * shared / 6:.2f}", *texts]))
        (folder / f"sts-{part}.csv").write_text("\n".join(rows) + "\n")
    hostile = "g\tf\t2015\t1\t3.0\t=word1 $x$ <script>\tword1 \x1b[31m\n"
    with (folder / "sts-test.csv").open("a") as file:
        file.write(hostile)
    return folder


@pytest.mark.slow
def test_it_is_measured_beside_words_and_answers_a_query(command, benchmark, tmp_path):
    options = ["--data", benchmark, "--epochs", 1, "--seeds", 0, "--out", "runs/ts"]
    status, out, err = command("text_similarity", *options)
    assert (status, "Traceback" in err) == (0, False), err
    rows = {
        row["name"]: row
        for row in csv.DictReader((tmp_path / "runs/ts/text-similarity.csv").read_text().splitlines())
    }
    assert rows.keys() == {"Siamese encoder", "untrained encoder", "TF-IDF", "words in common"}
    assert all(0.5 < float(row["spearman"]) <= 1 for row in rows.values())
    assert "130 train + 30 dev + 41 test pairs" in out
    assert (tmp_path / "runs/ts/similarity.png").stat().st_size > 10_000
    for row in csv.DictReader((tmp_path / "runs/ts/neighbours.csv").read_text().splitlines()):
        assert row["query"] != row["sentence"] and not row["sentence"].startswith("=")

    query = [*options, "--query", "word1 word2", "--k", 3]
    status, out, err = command("text_similarity", *query)
    answers = out.split("rank  distance  sentence\n")[1].splitlines()
    assert status == 0 and len(answers) == 3 and "epoch" not in err and "\x1b" not in out
    assert all("word1" in answer or "word2" in answer for answer in answers)


@pytest.mark.parametrize(
    ("options", "pieces"),
    [
        (["--data", "nowhere"], ["no sentence pairs at", "nowhere"]),
        (["--epochs", "0"], ["--epochs must be positive"]),
        (["--loss", "cosen"], ["cosen", "cosent"]),
        (["--query", "a", "--k", "0"], ["--k 0 does not fit"]),
        (["--seeds", "-1"], ["-1"]),
    ],
)
def test_mistakes_are_one_line(refused, benchmark, options, pieces):
    data = [] if "--data" in options else ["--data", benchmark]
    message = refused("text_similarity", *data, *options)
    assert all(piece in message for piece in pieces)
