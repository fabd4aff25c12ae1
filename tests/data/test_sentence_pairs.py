"""Graded pairs are read as they are published; what is not is refused."""

import zipfile

import numpy as np
import pytest

from dim.data import docstrings as module
from dim.data.sentence_pairs import made_pairs, sts_benchmark

_ROW = "main-news\tsome file\t2015\t0001\t{grade}\t{one}\t{other}\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "stsbenchmark"
    folder.mkdir()
    for part, count in ("train", 6), ("dev", 3), ("test", 4):
        rows = [_ROW.format(grade=i % 6, one=f'"A {part} {i}', other=f"Another, {i}.") for i in range(count)]
        (folder / f"sts-{part}.csv").write_text("".join(rows).replace(".\n", ".\ta source\n", 1))
    return folder


def test_grades_are_shares_of_five_and_quotes_are_letters(folder):
    pairs = sts_benchmark(str(folder))
    assert (len(pairs.train), len(pairs.dev), len(pairs.test)) == (6, 3, 4)
    np.testing.assert_allclose(pairs.train.grades, np.arange(6) / 5, rtol=1e-6)
    assert pairs.test.first[2] == '"A test 2' and pairs.test.second[2] == "Another, 2."


def test_zip_and_folder_give_the_same(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "sts.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"stsbenchmark/{file.name}")
    assert sts_benchmark(str(tmp_path / "sts.zip")).fingerprint == sts_benchmark(str(folder)).fingerprint


@pytest.mark.parametrize(
    ("content", "pieces"),
    [
        ("main\tx\t2015\t1\t3.0\tonly one\n" * 3, ("line 1 of sts-dev.csv",)),
        (
            _ROW.format(grade=2, one="a", other="b") + _ROW.format(grade=9, one="a", other="b"),
            ("line 2", "grade 9"),
        ),
        (_ROW.format(grade="nan", one="a", other="b") * 2, ("line 1",)),
        ("", ("0 pairs",)),
    ],
)
def test_bad_rows_are_named(folder, content, pieces, declined):
    (folder / "sts-dev.csv").write_text(content)
    with declined(*pieces):
        sts_benchmark(str(folder))


def test_what_is_no_benchmark_is_one_line(tmp_path, folder, declined):
    with declined("no sentence pairs at"):
        sts_benchmark(str(tmp_path / "absent"))
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    with declined("bad.zip", "no zip or folder"):
        sts_benchmark(str(tmp_path / "bad.zip"))
    (folder / "sts-test.csv").unlink()
    with declined("has no sts-test.csv"):
        sts_benchmark(str(folder))


def test_made_pairs_are_graded_by_where_the_second_comes_from(monkeypatch):
    monkeypatch.setattr(module, "_EACH", 120)
    module._of.cache_clear()
    pairs, texts = made_pairs(), module.docstrings()
    module._of.cache_clear()
    assert str(pairs).startswith("pairs made of docstrings")

    def library(sentence, part):
        return {label for text, label in zip(part.texts, part.labels, strict=True) if sentence in text}

    assert set(np.unique(pairs.train.grades)) == {0.0, 0.5, 1.0}
    for i in range(30):
        a, b = (library(side[i], texts.train) for side in (pairs.train.first, pairs.train.second))
        assert bool(a & b) == (pairs.train.grades[i] > 0) or len(a | b) > 2
