import pytest

from dim.files import UNFINISHED, replace


def test_the_old_content_stays_where_writing_fails(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")

    def write(path):
        path.write_text("half")
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        replace(file, write)
    assert file.read_text() == "old" and [f.name for f in tmp_path.iterdir()] == ["a.txt"]


def test_new_content_is_written_beside_and_reaches_the_disk_before_the_name_changes(tmp_path, monkeypatch):
    events = []
    monkeypatch.setattr("os.fsync", lambda descriptor: events.append((tmp_path / "a.txt").exists()))
    replace(tmp_path / "a.txt", lambda path: events.append(path.name) or path.write_text("new"))
    assert events == [f"{UNFINISHED}a.txt", False, True]
    assert (tmp_path / "a.txt").read_text() == "new"
