import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from dim.files import (
    UNFINISHED,
    check_writable,
    exclusive,
    read_json,
    read_table,
    replace,
    replace_folder,
    typed_path,
)

REPOSITORY = Path(__file__).parents[1]
HOLDER = """
import os, pathlib, sys
from dim.files import exclusive

with exclusive(pathlib.Path(sys.argv[1]), "work is done"):
    print(os.getpid(), flush=True)
    sys.stdin.read()
"""


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


def test_an_error_without_a_place_gets_one(tmp_path):
    def write(path):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left on device") as caught:
        replace(tmp_path / "a.txt", write)
    assert caught.value.filename == str(tmp_path / "a.txt")


def test_a_folder_is_replaced_when_all_of_it_is_on_the_disk(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", lambda fd: synced.append(Path(f"/proc/self/fd/{fd}").readlink()))
    for name in "old", "new":
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(name)
    replace_folder(tmp_path / "old", tmp_path / "new")
    assert [file.name for file in (tmp_path / "old").iterdir()] == ["new.txt"]
    assert not (tmp_path / "new").exists()
    assert synced == [tmp_path / "new/new.txt", tmp_path / "new", tmp_path]


def test_a_folder_that_cannot_be_written_to_or_is_full_is_said_before_the_work(
    tmp_path, declined, monkeypatch
):
    check_writable(tmp_path)
    assert not list(tmp_path.iterdir())
    with declined("nowhere cannot be written to (No such file or directory)"):
        check_writable(tmp_path / "nowhere")
    with declined("/proc cannot be written to"):
        check_writable(tmp_path / "/proc")
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1_500_000))
    with declined("1.5 MB are free", "make room first"):
        check_writable(tmp_path)


def test_a_lock_ends_with_its_process(tmp_path, declined):
    lock = tmp_path / "lock"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, lock],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        text=True,
    )
    pid = other.stdout.readline().strip()
    with declined("work is done by process", pid), exclusive(lock, "work is done"):
        pass
    other.kill()
    other.communicate()
    assert lock.exists()
    with exclusive(lock, "work is done"):
        assert f"process {os.getpid()} " in lock.read_text()
    assert not lock.exists()


def test_where_there_are_no_locks_nobody_is_kept_out(tmp_path, monkeypatch):
    def no_locks(*arguments):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with exclusive(tmp_path / "lock", "it"), exclusive(tmp_path / "lock", "it"):
        pass
    monkeypatch.setattr("dim.files.fcntl", None)
    with exclusive(tmp_path / "lock", "it"), exclusive(tmp_path / "lock", "it"):
        pass


def test_a_tilde_is_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert typed_path("~/a b") == tmp_path / "a b" and str(typed_path("a~b")) == "a~b"
