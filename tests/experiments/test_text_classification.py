"""make text-classification: each method beside TF-IDF, few labels, and a map."""

import csv

import numpy as np
import pytest


@pytest.fixture
def posts(tmp_path):
    """Three classes of 60 texts, whose words are mostly their own; one class has a hostile name."""
    rng = np.random.default_rng(0)
    for label, name in enumerate(("first", "second", "<script>$x$")):
        folder = tmp_path / "posts" / name
        folder.mkdir(parents=True)
        for i in range(60):
            own, common = rng.integers(0, 30, 14), rng.integers(0, 30, 10)
            words = [f"w{100 * label + k}" for k in own] + [f"c{k}" for k in common]
            (folder / str(i)).write_text(" ".join(rng.permutation(words)))
    return tmp_path / "posts"


@pytest.mark.slow
def test_every_method_is_measured_beside_words(command, posts, tmp_path):
    options = ["--data", posts, "--whole", "--epochs", 1, "--seeds", 0, "--out", "runs/tc"]
    status, out, err = command("text_classification", *options, "--methods", "supervised")
    assert (status, "Traceback" in err) == (0, False), err
    assert "3 classes" in out and "split by a hash of the names" in out
    rows = {
        row["name"]: row
        for row in csv.DictReader((tmp_path / "runs/tc/text-classification.csv").read_text().splitlines())
    }
    by = {"20-NN", "centroid", "logistic", "SVM"}
    expected = {f"{of}, {each}" for of in ("TF-IDF", "TF-IDF + SVD", "softmax") for each in by}
    assert rows.keys() == expected | {"softmax, softmax"}
    assert all(0.2 < float(row["macro_f1"]) <= 1 for row in rows.values())
    assert float(rows["TF-IDF, SVM"]["accuracy"]) > 0.9
    table = (tmp_path / "runs/tc/text-classification.md").read_text()
    assert "| labels a class | 1 | 5 | 20 | 100 |" in table and "| softmax |" not in table
    for name in "few-labels.png", "documents.png":
        assert (tmp_path / "runs/tc" / name).stat().st_size > 10_000

    projected = (tmp_path / "runs/tc/supervised-seed0/projector/names.tsv").read_text().splitlines()
    assert projected[0] == "class\ttext" and len(projected) > 50

    status, again, err = command("text_classification", *options, "--methods", "supervised")
    assert status == 0 and "1 of 1 epochs done" in again and "epoch 1/1" not in err
    assert again.split("| codes")[1] == out.split("| codes")[1]


@pytest.mark.parametrize(
    ("options", "pieces"),
    [
        (["--data", "nowhere"], ["no texts at", "nowhere"]),
        (["--methods", "dimm"], ["dimm", "dim"]),
        (["--epochs", "-1"], ["--epochs must be positive"]),
        (["--batch"], ["--batch"]),
    ],
)
def test_mistakes_are_one_line(refused, posts, options, pieces):
    data = [] if "--data" in options else ["--data", posts]
    message = refused("text_classification", *data, *options)
    assert all(piece in message for piece in pieces)
