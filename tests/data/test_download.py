import hashlib
import http.client
import io
import os
import resource
import socket
import urllib.request
import zipfile
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from dim.data.download import download as fetch
from dim.data.download import download_tiny_imagenet

FOLDER = Path("somewhere/data")
PART = FOLDER / "tiny-imagenet-200.zip.part"


def archive(**extra: str) -> bytes:
    """A zip in the layout of the official one, of about 700 kB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("tiny-imagenet-200/words.txt", "n01\tkingfisher\n")
        written.writestr("tiny-imagenet-200/train/noise.bin", os.urandom(700_000))
        for name, content in extra.items():
            written.writestr(name, content)
    return file.getvalue()


@dataclass
class Served:
    """What the server serves, and from which byte it was asked for."""

    content: bytes
    ranges: bool = True
    breaks_after: int | None = None
    announce_length: bool = True
    url: str = ""
    asked: list[int] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    def __init__(self, served: Served, *arguments):
        self.served = served
        super().__init__(*arguments)

    def do_GET(self):
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self.served.asked.append(start)
        if self.path != "/tiny.zip":
            self.send_error(404)
            return
        start = start if self.served.ranges else 0
        if start and start >= len(self.served.content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if self.served.announce_length:
            self.send_header("Content-Length", str(len(self.served.content) - start))
        self.end_headers()
        self.wfile.write(self.served.content[start : self.served.breaks_after])

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """`serve(content, ...)` serves it on this machine until the test ends."""
    servers = []

    def serve(content: bytes, **options) -> Served:
        served = Served(content, **options)
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, served)))
        served.url = f"http://127.0.0.1:{servers[-1].server_port}/tiny.zip"
        Thread(target=servers[-1].serve_forever, args=(0.01,)).start()
        return served

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def download(url: str, content: bytes, **expected) -> Path:
    expected = {"size": len(content), "md5": hashlib.md5(content).hexdigest(), **expected}
    return download_tiny_imagenet(FOLDER, url, **expected)


def left() -> list[str]:
    return sorted(path.name for path in FOLDER.glob("*"))


def test_the_archive_is_downloaded_and_unpacked(serve, capsys):
    content = archive()
    assert download(serve(content).url, content) == FOLDER / "tiny-imagenet-200"
    assert (FOLDER / "tiny-imagenet-200/words.txt").read_text() == "n01\tkingfisher\n"
    assert (FOLDER / "tiny-imagenet-200.zip").read_bytes() == content
    assert left() == ["tiny-imagenet-200", "tiny-imagenet-200.zip"]
    assert "downloading tiny-imagenet-200.zip: 100%" in capsys.readouterr().err


def test_what_is_already_there_is_not_asked_for_again(serve):
    content = archive()
    served = serve(content)
    download(served.url, content)
    download(served.url, content)
    assert served.asked == [0]


def test_an_archive_that_is_already_there_is_only_unpacked():
    content = archive()
    FOLDER.mkdir(parents=True)
    (FOLDER / "tiny-imagenet-200.zip").write_bytes(content)
    assert (download("http://127.0.0.1:9/none", content) / "words.txt").is_file()


def test_an_interrupted_download_asks_only_for_what_is_missing(serve, refused):
    content = archive()
    served = serve(content, breaks_after=300_000)
    with refused(PART, f"300,000 of {len(content):,} bytes", "run make data again"):
        download(served.url, content)
    assert left() == [PART.name]
    served.breaks_after = None
    download(served.url, content)
    assert served.asked == [0, 300_000]
    assert (FOLDER / "tiny-imagenet-200.zip").read_bytes() == content


def test_a_server_that_cannot_resume_starts_from_the_beginning(serve, refused):
    content = archive()
    served = serve(content, ranges=False, breaks_after=300_000)
    with refused("run make data again"):
        download(served.url, content)
    served.breaks_after = None
    download(served.url, content)
    assert (FOLDER / "tiny-imagenet-200.zip").read_bytes() == content


def test_a_download_that_was_complete_is_checked_without_a_request():
    content = archive()
    PART.parent.mkdir(parents=True)
    PART.write_bytes(content)
    assert (download("http://127.0.0.1:9/none", content) / "words.txt").is_file()


def test_another_checksum_is_reported_and_the_file_removed(serve, refused):
    content = archive()
    with refused(PART, hashlib.md5(content).hexdigest(), "0" * 32, "removed", "run make data again"):
        download(serve(content).url, content, md5="0" * 32)
    assert left() == []


def test_another_size_is_reported_before_anything_is_written(serve, refused):
    content = archive()
    PART.parent.mkdir(parents=True)
    PART.write_bytes(content[:1000])
    other = serve(b"<html>sign in first</html>", ranges=False)
    with refused(other.url, "26 bytes", f"{len(content):,}", FOLDER):
        download(other.url, content)
    assert PART.read_bytes() == content[:1000]


def test_another_size_that_was_not_announced_is_reported_and_the_file_removed(serve, refused):
    content = archive()
    served = serve(content + b"more", announce_length=False)
    with refused(PART, f"{len(content) + 4:,} bytes", f"{len(content):,}", "removed"):
        download(served.url, content)
    assert left() == []


def test_without_a_server_there_is_one_line(refused):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/tiny.zip"
        with refused(url, "refused", "run make data again", FOLDER):
            download(url, b"content")


def test_a_missing_file_is_one_line(serve, refused):
    url = serve(b"").url.replace("tiny.zip", "gone.zip")
    with refused(url, "Not Found", "run make data again"):
        download(url, b"content")
    assert left() == []


def test_an_answer_that_is_no_http_is_one_line(monkeypatch, refused):
    def urlopen(*_, **__):
        raise http.client.BadStatusLine("good day\r\n")

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    with refused(FOLDER, "good day", "run make data again"):
        download("http://somewhere/tiny.zip", b"content")


def test_a_file_of_unknown_size_and_checksum_is_whole_by_what_the_server_announces(serve, refused):
    content, file = archive(), FOLDER / "other.zip"
    served = serve(content, breaks_after=300_000)
    with refused("other.zip.part ends after 300,000 of", f"{len(content):,} bytes"):
        fetch(served.url, file)
    served.breaks_after = None
    assert fetch(served.url, file) == file and file.read_bytes() == content
    assert served.asked == [0, 300_000] and left() == ["other.zip"]
    assert fetch("http://127.0.0.1:9/none", file) == file


def test_a_file_of_unknown_size_that_was_complete_is_taken_as_it_is(serve, refused):
    content, part = archive(), FOLDER / "other.zip.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(content)
    served = serve(content)
    with refused(part, "md5", "instead of", "removed"):
        fetch(served.url, FOLDER / "other.zip", md5="0" * 32)
    part.write_bytes(content)
    assert fetch(served.url, FOLDER / "other.zip").read_bytes() == content
    assert served.asked == [len(content)] * 2


def test_a_full_disk_is_one_line_and_the_download_goes_on_later(serve, refused):
    content = archive()
    served = serve(content)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
    try:
        with refused(FOLDER, "File too large", "run make data again"):
            download(served.url, content)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    kept = PART.stat().st_size
    assert 0 < kept <= 400_000
    download(served.url, content)
    assert served.asked == [0, kept]


@pytest.mark.parametrize("member", ["../outside.txt", "tiny-imagenet-200/../../outside.txt", "/outside.txt"])
def test_an_archive_that_would_write_outside_its_folder_is_refused(member, serve, refused, tmp_path):
    content = archive(**{member: "gotcha"})
    with refused(FOLDER / "tiny-imagenet-200.zip", member, "outside", "remove it"):
        download(serve(content).url, content)
    assert left() == ["tiny-imagenet-200.zip"]
    assert not list(tmp_path.rglob("outside.txt"))


def test_an_archive_without_the_folder_is_refused(serve, refused):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("other/words.txt", "")
    content = file.getvalue()
    with refused(FOLDER / "tiny-imagenet-200.zip", "no folder tiny-imagenet-200", "remove it"):
        download(serve(content).url, content)
    assert left() == ["tiny-imagenet-200.zip"]


def test_a_damaged_archive_that_lay_there_is_refused(refused):
    FOLDER.mkdir(parents=True)
    (FOLDER / "tiny-imagenet-200.zip").write_bytes(archive()[:100_000])
    with refused(FOLDER / "tiny-imagenet-200.zip", "damaged", "remove it"):
        download("http://127.0.0.1:9/none", b"")
    assert left() == ["tiny-imagenet-200.zip"]


def test_an_interrupted_unpacking_leaves_nothing_that_looks_complete(monkeypatch):
    content = archive()
    FOLDER.mkdir(parents=True)
    (FOLDER / "tiny-imagenet-200.zip").write_bytes(content)
    extract, extracted = zipfile.ZipFile.extract, []

    def interrupted(self, *arguments):
        if extracted:
            raise KeyboardInterrupt
        extracted.append(extract(self, *arguments))

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(zipfile.ZipFile, "extract", interrupted)
        download("http://127.0.0.1:9/none", content)
    assert left() == ["tiny-imagenet-200.zip"]
    download("http://127.0.0.1:9/none", content)
    assert left() == ["tiny-imagenet-200", "tiny-imagenet-200.zip"]
