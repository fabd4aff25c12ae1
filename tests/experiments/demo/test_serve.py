"""The running page asked by programs: what it answers, and what it refuses."""

import base64
import http.client
import io
import json
import socket
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from experiments.demo.door import MOST_BODY
from experiments.demo.serve import check_rights, is_loopback

SEARCH = "/gradio_api/call/v2/search"


@pytest.fixture(scope="module")
def page(served):
    with served() as page:
        wait_until_open(page)
        yield page


def wait_until_open(page, **headers):
    import time

    for _ in range(600):
        if ask(page, "GET", "/picture/0", **headers)[0] == 200:
            return
        time.sleep(0.2)
    raise AssertionError("the index was not opened in two minutes")


def ask(page, method, path, body=None, **headers):
    """Status and body of a request whose path is sent as it is."""
    connection = http.client.HTTPConnection(page.url.split("/")[2], timeout=120)
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    try:
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (BrokenPipeError, ConnectionResetError):  # turned away before all was sent
        return 413, b""
    finally:
        connection.close()


def search(page, **asked):
    """What a search answers, or its error."""
    body = json.dumps(asked)
    status, answer = ask(page, "POST", SEARCH, body, content_type="application/json")
    if status != 200:
        return status
    event = json.loads(answer)["event_id"]
    text = ask(page, "GET", f"/gradio_api/call/search/{event}")[1].decode()
    kind, content = [line.partition(": ")[2] for line in text.strip().splitlines()[-2:]]
    return json.loads(content)[0] if kind == "complete" else json.loads(content)["error"]


def base64_of(file):
    return base64.b64encode(Path(file).read_bytes()).decode()


def test_a_program_searches_by_image_and_by_number(page):
    image = page.folder / "stripes/stripes 15.png"
    found = search(page, image=base64_of(image), k=3)
    for metric in "l2", "cosine":
        paths = {each["file"] for each in found[metric][:2]}
        assert paths == {str(image), str(page.folder / "stripes/zz copy.png")}
        assert len(found[metric]) == 3 and found[metric][0]["distance"] < 1e-3
    number = next(each["number"] for each in found["l2"] if each["file"] == str(image))
    found = search(page, number=number, k=2, only="blotches/inner/", apart=0.0)
    assert [each["rank"] for each in found["cosine"]] == [1, 2]
    assert all("/inner/" in each["file"] and each["label"] == "blotches" for each in found["l2"])
    status, content = ask(page, "GET", f"/picture/{number}")
    assert status == 200 and Image.open(io.BytesIO(content)).format == "JPEG"


def test_gradios_own_client_searches_as_the_reference_says(page):
    from gradio_client import Client

    client = Client(page.url, verbose=False, analytics_enabled=False)
    found = client.predict(image=base64_of(page.folder / "stripes/zz copy.png"), k=5, api_name="/search")
    assert len(found["l2"]) == len(found["cosine"]) == 5
    description = json.loads(ask(page, "GET", "/gradio_api/openapi.json")[1])
    assert [path for path in description["paths"] if path.endswith("/search")]


def test_what_does_not_fit_is_one_line(page):
    for asked, piece in (
        ({"number": 41}, "no image 41"),
        ({"number": -1}, "no image -1"),
        ({"number": 1.5}, "no image 1.5"),
        ({"number": "1"}, "no image 1;"),
        ({"number": 0, "k": float("nan")}, "nan images"),
        ({"number": 0, "k": 101}, "101 images"),
        ({"number": 0, "only": "../../etc"}, "no class or folder ../../etc"),
        ({"image": "/etc/passwd"}, "no base64"),
        ({"image": base64.b64encode(b"text").decode()}, "cannot be read as an image"),
    ):
        said = search(page, **asked)
        assert piece in said and len(said.splitlines()) == 1


def left_in(folder):
    """Files beside the code that TensorFlow generates while it exports an encoder."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if not file.name.startswith("__autograph_generated_file")]


def test_no_parameter_and_no_route_reads_a_file(page):
    secret = page.folder.parent / "outside.png"
    Image.new("RGB", (8, 8), "red").save(secret)
    files = str(secret), "/etc/passwd", "../outside.png", "file:///etc/passwd"
    for path in (
        *(
            f"{route}{file}"
            for route in ("/gradio_api/file=", "/file=", "/gradio_api/file/")
            for file in files
        ),
        *(
            f"{route}{up}etc/passwd"
            for route in ("/assets/", "/static/")
            for up in ("../" * 9, "%2e%2e/" * 9)
        ),
        *(
            f"/picture/{number}"
            for number in ("../1", "%2e%2e%2f1", "-1", "1%00", "41", "9" * 15, "x", "1/2")
        ),
        "/gradio_api/proxy=http://127.0.0.1:1/",
        "/monitoring",
        "/gradio_api/custom_component/x/client/component/../../../etc/passwd",
        "/gradio_api/runs",
        "/gradio_api/stream/a/b/1/playlist.m3u8",
    ):
        assert ask(page, "GET", path)[0] == 404, path
    for path in "/gradio_api/upload", "/gradio_api/run/search", "/gradio_api/component_server", "/login":
        assert ask(page, "POST", path, "{}", content_type="application/json")[0] == 404
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(1)
        here = f"http://127.0.0.1:{trap.getsockname()[1]}/x.png"
        for file in (
            {"path": str(secret), "meta": {"_type": "gradio.FileData"}},
            {"path": here, "url": here, "meta": {"_type": "gradio.FileData"}},
            [{"path": str(secret), "meta": {"_type": "gradio.FileData"}}],
        ):
            for name in "image", "number", "k", "only", "apart":
                assert search(page, **{"number": 0, name: file}) == 400
            joined = json.dumps({"data": [file], "fn_index": 0, "session_hash": "a"})
            assert ask(page, "POST", "/gradio_api/queue/join", joined)[0] == 400
        for text in here, str(secret), f"file={secret}":
            for name in "image", "number", "only":
                assert isinstance(search(page, **{"number": 0, name: text}), str)
        with pytest.raises(TimeoutError):
            trap.accept()
    assert not left_in(page.temporary)


def test_large_images_and_requests_are_refused(page):
    for side in 8_200, 20_000:  # the limit here, and Pillow's own
        said = search(page, image=base64.b64encode(black(side, side)).decode())
        assert "cannot be read as an image" in said and "pixels" in said
    zeros = bytes(200_000_000)
    assert ask(page, "POST", "/gradio_api/queue/join", zeros)[0] == 413
    assert ask(page, "POST", "/gradio_api/upload", zeros)[0] in (404, 413)
    chunked = {"transfer_encoding": "chunked"}
    assert ask(page, "POST", SEARCH, iter([b"5\r\nxxxxx\r\n", b"0\r\n\r\n"]), **chunked)[0] == 411
    assert search(page, image="A" * (MOST_BODY - 100)) != 413
    assert search(page, number=0, k=1)["l2"]


def black(width, height):
    """A PNG of such a size in few bytes."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    rows = zlib.compress(bytes((width + 1) * height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_fifty_at_once_are_answered_or_told_to_wait_and_leave_nothing(page):
    image = base64_of(page.folder / "stripes/zz copy.png")
    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(lambda _: search(page, image=image, k=1), range(50)))
    assert all(isinstance(each, dict) or "full" in str(each) for each in found)
    assert sum(isinstance(each, dict) for each in found) >= 40
    assert not left_in(page.temporary)


def test_other_pages_cannot_use_the_browser_of_somebody_here(page):
    assert ask(page, "GET", "/", host="evil.example")[0] == 421
    assert ask(page, "POST", SEARCH, "{}", origin="http://evil.example")[0] == 403


def test_with_a_user_nothing_is_seen_without_the_password(served):
    from gradio_client import Client

    with served("--user", "ann", DIM_PASSWORD="pässword") as page:
        known = f"Basic {base64.b64encode('ann:pässword'.encode()).decode()}"
        wait_until_open(page, authorization=known)
        wrong = f"Basic {base64.b64encode(b'ann:password').decode()}"
        for method, path in ("GET", "/"), ("GET", "/picture/0"), ("GET", "/config"), ("POST", SEARCH):
            assert ask(page, method, path)[0] == 401
            assert ask(page, method, path, authorization=wrong)[0] == 401
        assert ask(page, "GET", "/", authorization=known)[0] == 200
        client = Client(page.url, verbose=False, httpx_kwargs={"auth": ("ann", "pässword")})
        assert len(client.predict(number=0, k=4, api_name="/search")["cosine"]) == 4


def test_whoever_opens_the_page_to_others_needs_a_user_and_a_password(declined):
    for host in "0.0.0.0", "192.168.0.7", "::", "example.org":
        assert not is_loopback(host)
        with declined(f"--host {host} lets whoever", "--user NAME", "DIM_PASSWORD"):
            check_rights(host, "", "")
        check_rights(host, "ann", "secret")
    for user, password in ("ann", ""), ("", "secret"):
        with declined("go together"):
            check_rights("127.0.0.1", user, password)
    for host in "127.0.0.1", "localhost", "::1":
        check_rights(host, "", "")


def test_refusals_are_one_line(served, refused, initial_run):
    run = "--run", str(initial_run.path)
    assert "lets whoever reaches this machine" in refused("demo", *run, "--host", "0.0.0.0")
    assert "go together" in refused("demo", *run, "--host", "0.0.0.0", "--user", "ann")
    assert "or give a folder of images" in refused("demo", *run, "--data", "nowhere", "--port", 0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "cannot listen on 127.0.0.1" in refused("demo", *run, "--port", taken.getsockname()[1])


def test_without_gradio_it_says_how_to_get_it(refused, initial_run, monkeypatch):
    from importlib.util import find_spec

    if find_spec("gradio"):
        pytest.skip("gradio is installed here")
    assert "make demo installs it" in refused("demo", "--run", str(initial_run.path))
