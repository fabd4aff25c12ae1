"""Posts are read from an archive or a folder, and stripped of what gives their group away."""

import io
import tarfile

import pytest

from dim.data.newsgroups import newsgroups

_POST = """From: someone@here
Newsgroups: rec.secret
Subject: on wheels

In article <1> somebody writes:
> quoted words

Number {i} of our own words is w{i} here.
--
a signature
"""


@pytest.fixture
def posts():
    return {
        f"20_newsgroups/{group}/{i}": _POST.format(i=10 * i + k).encode("latin-1")
        for k, group in enumerate(("rec.autos", "sci.space"))
        for i in range(30)
    }


@pytest.fixture
def archive(tmp_path, posts):
    file = tmp_path / "20news-19997.tar.gz"
    with tarfile.open(file, "w:gz") as opened:
        for name, content in posts.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            opened.addfile(about, io.BytesIO(content))
    return file


def test_archive_and_folder_give_the_same_collection(archive, posts, tmp_path):
    for name, content in posts.items():
        file = tmp_path / "unpacked" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    packed = newsgroups(str(archive))
    assert packed.class_names == ["rec.autos", "sci.space"]
    assert len(packed.train) + len(packed.test) == 60 - int(
        str(packed).split(" test texts that")[0].split()[-1]
    )
    for where in tmp_path / "unpacked", tmp_path / "unpacked/20_newsgroups":
        assert newsgroups(str(where)).fingerprint == packed.fingerprint
    for name, label in zip(packed.train.names, packed.train.labels, strict=True):
        assert name.startswith(packed.class_names[label])


def test_headers_quotations_and_signatures_are_stripped_unless_asked_for(archive):
    stripped, whole = newsgroups(str(archive)), newsgroups(str(archive), stripped=False)
    text = stripped.train.texts[0]
    assert "of our own words" in text
    assert not any(word in text for word in ("rec.secret", "quoted words", "signature", "writes"))
    assert all(word in whole.train.texts[0] for word in ("rec.secret", "quoted words", "signature"))


def test_what_is_no_collection_is_one_line(tmp_path, declined):
    with declined("no texts at", "20news"):
        newsgroups(str(tmp_path / "absent"))
    (tmp_path / "bad.tar.gz").write_bytes(b"no archive")
    with declined("bad.tar.gz", "fetch it again"):
        newsgroups(str(tmp_path / "bad.tar.gz"))
    (tmp_path / "one/class").mkdir(parents=True)
    (tmp_path / "one/class/1").write_text("a text")
    with declined("1 texts in 1 classes"):
        newsgroups(str(tmp_path / "one"))


def test_a_damaged_archive_is_one_line(archive, declined):
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    with declined("is damaged"):
        newsgroups(str(archive))
