"""Graded pairs are read as they are published; what is not is refused."""

import shutil
import tarfile
import zipfile

import numpy as np
import pytest

from dim.data import docstrings
from dim.data import sentence_pairs as module
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


def test_archives_and_folder_give_the_same(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "sts.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"stsbenchmark/{file.name}")
    with tarfile.open(tmp_path / "sts.tar.gz", "w:gz") as archive:
        archive.add(folder, "stsbenchmark")
    for name in "sts.zip", "sts.tar.gz":
        assert sts_benchmark(str(tmp_path / name)).fingerprint == sts_benchmark(str(folder)).fingerprint


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
    with declined("bad.zip", "no archive or folder"):
        sts_benchmark(str(tmp_path / "bad.zip"))
    with tarfile.open(tmp_path / "cut.tar.gz", "w:gz") as archive:
        archive.add(folder, "stsbenchmark")
    (tmp_path / "cut.tar.gz").write_bytes((tmp_path / "cut.tar.gz").read_bytes()[:-100])
    with declined("cut.tar.gz", "no archive or folder"):
        sts_benchmark(str(tmp_path / "cut.tar.gz"))
    (folder / "sts-test.csv").unlink()
    with declined("has no sts-test.csv"):
        sts_benchmark(str(folder))


@pytest.fixture
def served(folder, tmp_path, monkeypatch):
    """What the server has in place of the benchmark."""
    with tarfile.open(tmp_path / "served.tar.gz", "w:gz") as archive:
        archive.add(folder, "stsbenchmark")

    def download(url, file):
        file.parent.mkdir(exist_ok=True)
        return file if file.exists() else shutil.copy(tmp_path / "served.tar.gz", file)

    monkeypatch.setattr(module, "download", download)
    return tmp_path / "served.tar.gz"


def test_a_download_stays_where_it_has_as_many_pairs_as_were_published(served, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PUBLISHED", "6 train + 3 dev + 4 test pairs")
    fetched = tmp_path / "data/Stsbenchmark.tar.gz"
    assert module.download_sts_benchmark(fetched) == fetched
    assert sts_benchmark(str(fetched)).fingerprint == sts_benchmark(str(folder)).fingerprint


def test_a_download_of_something_else_is_removed_and_what_was_there_before_is_not(served, tmp_path, declined):
    fetched = tmp_path / "data/Stsbenchmark.tar.gz"
    with declined("6 train + 3 dev + 4 test pairs, not 5,749 train"):
        module.download_sts_benchmark(fetched)
    assert not fetched.exists()
    served.write_text("sign in first")
    with declined("no archive or folder"):
        module.download_sts_benchmark(fetched)
    assert not fetched.exists()
    fetched.write_text("of the user")
    with declined("no archive or folder"):
        module.download_sts_benchmark(fetched)
    assert fetched.exists()


def test_made_pairs_are_graded_by_where_the_second_comes_from(monkeypatch):
    monkeypatch.setattr(docstrings, "_EACH", 120)
    docstrings._of.cache_clear()
    pairs, texts = made_pairs(), docstrings.docstrings()
    docstrings._of.cache_clear()
    assert str(pairs).startswith("pairs made of docstrings")

    def library(sentence, part):
        return {label for text, label in zip(part.texts, part.labels, strict=True) if sentence in text}

    assert set(np.unique(pairs.train.grades)) == {0.0, 0.5, 1.0}
    for i in range(30):
        a, b = (library(side[i], texts.train) for side in (pairs.train.first, pairs.train.second))
        assert bool(a & b) == (pairs.train.grades[i] > 0) or len(a | b) > 2
