"""Images by an address: the same data set, codes and pictures as by a path; what goes wrong is one line."""

import os
import pickle
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec

import numpy as np
import pytest

from dim import data
from dim.data import store
from dim.data.decode import MOST_BYTES
from dim.data.picture import original, picture

ACCESS = "<Error><Code>{}</Code><Message>no</Message></Error>"


@pytest.fixture
def pets(paint, tmp_path):
    for i in range(12):
        paint(tmp_path / f"pets/{['cat', 'dog'][i % 2]}/deep/{i:02} ü.png", (10 * i, 5, 7), (9 + i, 30))
    paint(tmp_path / "pets/.hidden/a.png", (1, 1, 1))
    (tmp_path / "pets/cat/zzz.jpg").write_text("no image")
    (tmp_path / "pets/cat/notes.txt").write_text("nothing")
    return tmp_path / "pets"


@pytest.fixture(params=["file", "memory"])
def address(pets, request):
    """Of the same images, by Arrow's file system and by one of fsspec."""
    if request.param == "file":
        return pets.as_uri()
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    return uploaded(pets)


def uploaded(pets):
    import fsspec

    memory = fsspec.filesystem("memory")
    if memory.exists("/bucket"):
        memory.rm("/bucket", recursive=True)
    memory.put(str(pets), "/bucket/pets", recursive=True)
    return "memory://bucket/pets"


def test_an_address_is_the_data_set_of_its_folder(address, pets):
    there, here = (data.listed(where, 8) for where in (address, str(pets)))
    ours, theirs = there.recipe(), here.recipe()
    assert there.name == here.name == "pets"
    for name in "names", "labels", "class_names":
        assert getattr(ours, name) == getattr(theirs, name)
    assert [stamp.split()[0] for stamp in ours.stamps] == [stamp.split()[0] for stamp in theirs.stamps]
    for one, other in zip(ours.sources, theirs.sources, strict=True):
        assert ours.read(one) == theirs.read(other)
    assert store.list_images(address)[-1][0] == "dog/deep/11 ü.png"
    decode = pickle.loads(pickle.dumps(ours.decode))  # as it goes to other processes
    np.testing.assert_array_equal(decode(ours.sources[3]), theirs.decode(theirs.sources[3]))


def test_to_train_it_is_split_as_its_folder_is(address, pets, paint):
    for i in range(108):
        paint(pets / f"dog/more {i}.png", (i, 0, 0))
    if address.startswith("memory"):
        uploaded(pets)
    there, here = data.load(address, 8), data.load(str(pets), 8)
    assert (there.val.names, there.where, there.fingerprint) == (here.val.names, address, here.fingerprint)
    assert data.lasting(f"{address}/") == address


def test_a_changed_image_has_another_stamp(pets):
    before = data.listed(pets.as_uri(), 8).recipe().stamps
    os.utime(pets / "cat/deep/00 ü.png", ns=(1, 2))
    after = data.listed(pets.as_uri(), 8).recipe().stamps
    assert [one != other for one, other in zip(before, after, strict=True)].count(True) == 1


def test_an_image_is_shown_and_read_by_its_name(address, pets, paint):
    name = "cat/deep/02 ü.png"
    np.testing.assert_array_equal(picture(address, name, 8), picture(str(pets), name, 8))
    assert original(address, name) == (pets / name).read_bytes() and original(address, "cat/none.png") is None
    assert (picture(address, "cat/none.png", 8) == 224).all()
    paint(pets.parent / "secret.png", (1, 2, 3))
    assert original(address, "../secret.png") is None
    assert store.inside("s3://b/photos?region=x", "a/b.png") == "s3://b/photos/a/b.png?region=x"


def test_a_file_that_is_too_large_is_not_read(pets, monkeypatch):
    monkeypatch.setattr(store, "MOST_BYTES", 50)
    with pytest.raises(OSError, match="more than a file here may have"):
        store.stored_bytes("cat/deep/00 ü.png", pets.as_uri())
    assert MOST_BYTES > 2**20


@pytest.mark.parametrize(
    ("where", "pieces"),
    [
        ("file:///nowhere/at/all", ["cannot list file:///nowhere/at/all", "address is right"]),
        ("strange://bucket/photos", ["strange"]),
        ("s3://key:secret@bucket/photos", ["password", "environment"]),
        ("file:///", ["/"]),
    ],
)
def test_an_address_that_leads_nowhere_is_one_line(where, pieces, refused, tmp_path):
    where = f"{tmp_path.as_uri()}" if where == "file:///" else where
    with refused(*pieces) as caught:
        data.listed(where, 8)
    assert "secret" not in str(caught)


class Store(BaseHTTPRequestHandler):
    """Answers as S3 does, always with the same error."""

    def answer(self):
        status, code = self.server.said
        body = ACCESS.format(code).encode() if self.command != "HEAD" else b""
        self.send_response(status)
        self.send_header("content-type", "application/xml")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = answer

    def log_message(self, *_):
        pass


@pytest.fixture
def s3(monkeypatch):
    """`s3(status, code)`: the address of a bucket of which nothing else is said."""
    server = HTTPServer(("127.0.0.1", 0), Store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY":
        monkeypatch.setenv(name, "nobody")

    def s3(status, code):
        server.said = status, code
        return f"s3://bucket/photos?scheme=http&endpoint_override=127.0.0.1:{server.server_port}&region=us-east-1"

    yield s3
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [(403, "AccessDenied", "ACCESS_DENIED"), (404, "NoSuchBucket", "NO_SUCH_BUCKET")],
)
def test_a_bucket_that_is_not_there_or_not_ours_is_one_line(status, code, said, s3, refused):
    with refused("cannot list s3://bucket/photos", said, "credentials"):
        data.listed(s3(status, code), 8)


def test_an_image_that_may_not_be_read_is_of_the_image_and_a_store_that_is_down_is_not(s3, refused):
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        store.stored_bytes("a.png", s3(403, "AccessDenied"))
    with refused("cannot read s3://bucket/photos/a.png", "same command"):
        store.stored_bytes("a.png", s3(501, "NotImplemented"))


@pytest.mark.skipif(find_spec("fsspec") is not None, reason="fsspec is installed")
def test_without_fsspec_an_unknown_scheme_says_what_to_install(refused):
    with refused("Arrow knows no strange://", "pip install fsspec"):
        data.listed("strange://bucket/photos", 8)
