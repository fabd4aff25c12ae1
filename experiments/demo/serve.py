"""Serves the page and its pictures, behind the door."""

import ipaddress
import os
import socket

from dim.errors import DimError

_LOOPBACK = "localhost", "127.0.0.1", "::1"


def check_rights(host: str, user: str, password: str) -> None:
    """DimError where others could reach the page and nobody would have to say who they are."""
    if bool(user) != bool(password):
        raise DimError("--user and a password in DIM_PASSWORD go together; give both, or neither")
    if not (is_loopback(host) or user):
        means = "lets whoever reaches this machine see the images and search them, unencrypted"
        raise DimError(f"--host {host} {means}; give --user NAME, and a password in DIM_PASSWORD")


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; DimError if it cannot."""
    try:
        kind = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=kind)
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno) if getattr(error, "errno", 0) else error
        raise DimError(
            f"cannot listen on {host}, port {port} ({reason}); give another --port or --host"
        ) from error


def server(opening, host: str, user: str, password: str):
    """A uvicorn server of the page of an index that is being opened."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # asked at the import
    import gradio as gr
    import uvicorn
    from fastapi import FastAPI, HTTPException, Response

    from experiments.demo.door import Door
    from experiments.demo.html import PICTURE
    from experiments.demo.page import STYLE, THEME, page
    from experiments.demo.pictures import thumbnail

    app = FastAPI(openapi_url=None)

    @app.get(f"/{PICTURE}/{{row}}")
    def picture(row: int) -> Response:
        if opening.finder is None or row >= len(opening.finder.index):
            raise HTTPException(404)
        content = thumbnail(opening.finder.index, row)
        return Response(content, media_type="image/jpeg", headers={"cache-control": "no-store"})

    gr.mount_gradio_app(
        app,
        page(opening),
        "/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        max_file_size=1,
        theme=THEME,
        css=STYLE,
    )
    door = Door(app, _LOOPBACK if is_loopback(host) else (), user, password)
    return uvicorn.Server(uvicorn.Config(door, log_level="warning", ws="none", timeout_graceful_shutdown=2))
