"""The door lets in what the page and programs need, and turns the rest away unread."""

import asyncio
import base64

import pytest

from experiments.demo.door import MOST_BODY, Door

HOSTS = "localhost", "127.0.0.1"


def asked(method="GET", path="/", body=b"{}", hosts=HOSTS, user="", password="", **headers):
    """Status of a request, which comes through where that is 200; headers with _ for -."""
    reached, sent = [], []

    async def app(scope, receive, send):
        reached.append(method != "POST" or (await receive())["body"] == body)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    named = {"host": "127.0.0.1:7860", **{name.replace("_", "-"): text for name, text in headers.items()}}
    pairs = [(name.encode(), text.encode("latin1")) for name, text in named.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": pairs}
    asyncio.run(Door(app, hosts, user, password)(scope, receive, send))
    assert (reached == [True]) == (sent[0]["status"] == 200)
    return sent[0]["status"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/assets/index-1a_b.js"),
        ("GET", "/picture/17"),
        ("GET", "/gradio_api/openapi.json"),
        ("GET", "/gradio_api/queue/data"),
        ("POST", "/gradio_api/queue/join"),
        ("POST", "/gradio_api/call/search"),
        ("POST", "/gradio_api/call/v2/search"),
        ("GET", "/gradio_api/call/search/0a1b"),
    ],
)
def test_what_is_needed_comes_in(method, path):
    assert asked(method, path) == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/file/etc/passwd"),
        ("GET", "/file=/etc/passwd"),
        ("GET", "/gradio_api/proxy=http://10.0.0.1/"),
        ("POST", "/gradio_api/upload"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/run/search"),
        ("GET", "/assets/../../../etc/passwd"),
        ("GET", "/static/..\\..\\x"),
        ("GET", "/picture/../1"),
        ("GET", "/picture/-1"),
        ("GET", "/picture/1.png"),
        ("GET", "/picture/" + "9" * 16),
        ("GET", "/\n"),
        ("PUT", "/picture/1"),
        ("POST", "/"),
        ("DELETE", "/"),
    ],
)
def test_what_is_not_is_turned_away(method, path):
    assert asked(method, path) == 404


def test_a_page_elsewhere_cannot_ask_through_a_browser():
    assert asked(host="evil.example:7860") == 421 and asked(host="") == 421
    assert asked(host="localhost:7860") == 200 and asked(host="[::1]:7860", hosts=("::1",)) == 200
    assert asked(host="evil.example", hosts=()) == 200
    assert asked("POST", "/gradio_api/queue/join", origin="http://evil.example") == 403
    assert asked("POST", "/gradio_api/queue/join", origin="null") == 403
    assert asked("POST", "/gradio_api/queue/join", origin="http://127.0.0.1:7860") == 200


def test_requests_have_a_length_and_a_limit():
    post = "POST", "/gradio_api/queue/join"
    assert asked(*post, content_length=str(MOST_BODY)) == 200
    for length in str(MOST_BODY + 1), "-1", "1e3", "9" * 5000:
        assert asked(*post, content_length=length) == 413
    assert asked(*post, transfer_encoding="chunked") == 411


def test_whoever_has_no_password_gets_nothing():
    def basic(pair):
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    guarded = {"user": "ann", "password": "pass:wörd"}
    for path in "/", "/picture/1", "/config", "/gradio_api/call/search/a":
        assert asked(path=path, **guarded) == 401
        assert asked(path=path, **guarded, authorization=basic("ann:pass:word")) == 401
        assert asked(path=path, **guarded, authorization=basic("bob:pass:wörd")) == 401
        assert asked(path=path, **guarded, authorization=basic("ann:pass:wörd")) == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}]}',
        b'{"data": [[{"path": "/etc/passwd"}]]}',
        b'{"data": {"path": "/etc/passwd"}}',
        b'{"image": {"path": "/etc/passwd"}}',
        b"[{}]",
        b"no JSON",
        b"[" * 100_000,
    ],
)
def test_no_request_brings_what_gradio_takes_for_a_file(body):
    assert asked("POST", "/gradio_api/queue/join", body) == 400


def test_texts_numbers_and_events_come_in():
    assert asked("POST", "/gradio_api/queue/join", b'{"data": [], "event_data": 41}') == 200
    body = b'{"data": [null, 12, "everything"], "event_data": {"rows": [1, 2]}, "session_hash": "a"}'
    assert asked("POST", "/gradio_api/queue/join", body) == 200
    assert asked("POST", "/gradio_api/call/v2/search", b'{"image": "AAAA", "k": 3}') == 200
