import os

import pytest

from dim.files import UNFINISHED, read_json, read_table, replace


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


def test_json_of_another_form_is_one_line(tmp_path, refused):
    file = tmp_path / "a.json"
    for content in (
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"k": null}',
        b'{"k": "\\n"}',
        b"7",
        b"1" * 5000,
    ):
        file.write_bytes(content)
        with refused(file, "cannot be used (", "; remove it"):
            read_json(file, {"k": int}, "remove it")
    with refused("nowhere.json cannot be used (No such file or directory); put a good copy there"):
        read_json(tmp_path / "nowhere.json", {})
    file.unlink()
    os.mkfifo(file)  # for whose other end one would wait for ever
    with refused(file, "it is no file"):
        read_json(file, {})


@pytest.mark.parametrize("encoding", ["utf8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_read_as_a_spreadsheet_saves_it(encoding, separator, tmp_path):
    text = 'run,data\r\nfirst,"ü, ö; ä\t"\r\nsecond\r\n'
    file = tmp_path / "a.csv"
    if separator != ",":
        text = text.replace("run,data", f"run{separator}data").replace('first,"', f'first{separator}"')
    file.write_bytes(text.encode(encoding))
    assert read_table(file, "run") == [
        {"run": "first", "data": "ü, ö; ä\t"},
        {"run": "second", "data": ""},
    ]


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n\x00\xff", b"a,b\n1,2\n", b"run,b\n1,2,3\n", b"run\n" + b"x" * 200_000, b""],
)
def test_what_is_no_such_table_is_one_line(content, tmp_path, refused):
    (tmp_path / "a.csv").write_bytes(content)
    with refused("a.csv cannot be used (", "; move it away"):
        read_table(tmp_path / "a.csv", "run", remedy="move it away")
