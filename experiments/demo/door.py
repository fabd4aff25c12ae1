"""The door of the page: what may come in from a browser or a program, and what is turned away unread.

Gradio has more routes than this page needs: to upload, to read files, to stream, to fetch from other
machines. None of them is reached through here, so that no request names a file, leaves one, or leads away.
"""

import base64
import hmac
import json
import re
from collections.abc import Collection

from experiments.demo.finder import MOST_BYTES

MOST_BODY = MOST_BYTES * 4 // 3 + 2**16  # bytes of a request: an image in base64, and what is around it
_PATHS = {
    "GET": re.compile(
        r"/|/(assets|static)/[\w./-]+|/theme\.css|/config|/manifest\.json|/favicon\.ico|/picture/\d{1,15}"
        r"|/gradio_api/(info|openapi\.json|app_id|startup-events|queue/data)/?"
        r"|/gradio_api/heartbeat/\w+|/gradio_api/call/\w+/\w+"
    ),
    "POST": re.compile(r"/gradio_api/(queue/join|cancel|reset|call/(v2/)?\w+)/?"),
}
_PATHS["HEAD"] = _PATHS["GET"]
_HEADERS = {
    "content-security-policy": "default-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "form-action 'self'; base-uri 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Door:
    """An ASGI application in front of another.

    Args:
        hosts: by which this page may be called; others are pages elsewhere that found a way here through
            somebody's browser. Without any, all are.
        user, password: that every request must have, if there are any.
    """

    def __init__(self, app, hosts: Collection[str] = (), user: str = "", password: str = ""):
        self.app, self.hosts = app, hosts
        pair = base64.b64encode(f"{user}:{password}".encode())
        self._basic = b"basic " + pair if user else None

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif refused := self._refusal(scope):
            await _answer(send, *refused)
        elif scope["method"] != "POST":
            await self.app(scope, receive, _guarded(send))
        elif _is_flat(body := await _read(receive)):
            await self.app(scope, _again(body, receive), _guarded(send))
        else:
            await _answer(send, 400, "a request is one JSON object of texts and numbers")

    def _refusal(self, scope) -> tuple[int, str] | None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        host = headers.get(b"host", b"").decode("latin1")
        if self.hosts and host.rpartition(":")[0].strip("[]") not in self.hosts:
            return 421, "this page is not known by that name"
        if self._basic and not self._known(headers.get(b"authorization", b"")):
            return 401, "user and password, please"
        allowed = _PATHS.get(scope["method"])
        if not allowed or not allowed.fullmatch(scope["path"]) or ".." in scope["path"]:
            return 404, "nothing here"
        if (origin := headers.get(b"origin", b"").decode("latin1")) and origin.partition("://")[2] != host:
            return 403, "asked from another page"
        if b"transfer-encoding" in headers:
            return 411, "how long will that be?"
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or len(length) > 15 or int(length) > MOST_BODY:
            return 413, f"a request may have {MOST_BODY:,} bytes"
        return None

    def _known(self, authorization: bytes) -> bool:
        kind, _, pair = authorization.partition(b" ")
        return hmac.compare_digest(kind.lower() + b" " + pair.strip(), self._basic)


def _is_flat(body: bytes) -> bool:
    """Whether there is nothing in a request that Gradio would take for a file to copy or to download.

    That is any object within its values, but for what an event on the page brings, which it leaves alone.
    """
    try:
        content = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return False
    if not isinstance(content, dict):
        return False
    values = [value for name, value in content.items() if name != "event_data"]
    within = [each for value in values if isinstance(value, list) for each in value]
    return not any(isinstance(each, dict) for each in values) and not any(
        isinstance(each, dict | list) for each in within
    )


async def _read(receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        more = message["type"] == "http.request" and message.get("more_body", False)
        parts.append(message.get("body", b""))
    return b"".join(parts)


def _again(body: bytes, receive):
    """Gives what was read once more, and then what comes, such as the end of the connection."""
    waiting = [{"type": "http.request", "body": body}]

    async def again():
        return waiting.pop() if waiting else await receive()

    return again


def _guarded(send):
    async def guarded(message) -> None:
        if message["type"] == "http.response.start":
            added = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return guarded


async def _answer(send, status: int, why: str) -> None:
    body = json.dumps({"error": why}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="dim", charset="UTF-8"'))
    if status in (411, 413):
        headers.append((b"connection", b"close"))  # with what was not read
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
