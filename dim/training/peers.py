"""Connections between the processes of one training, by which each hears how the others are.

Process 0 listens, all others call it and stay connected. What all have to agree on goes this way, a sign of
life every few seconds, and the end of a process: where one has gone, those left would wait for its numbers
for ever, so each says in one line who it was, and ends.
"""

import json
import os
import platform
import socket
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from dim.errors import DimError
from dim.names import printable

ARRIVAL = 60  # seconds within which all have to come together
SILENCE = 30  # seconds after which a process of which nothing is heard counts as gone
_SIGN = 3  # seconds from one sign of life to the next
_AGAIN = "complete epochs are kept; start the same command on every host again"


class Peers:
    """This process among `count` of them, its number being `process`; of process 0 all know the address.

    Raises DimError if not all of them come together within a minute. From then on the process ends, with one
    line and status 1, as soon as another one does before `part`.
    """

    def __init__(self, address: str, count: int, process: int):
        self.count, self.process = count, process
        self._lines, self.names = (
            _gathered(address, count) if process == 0 else _called(address, process, count)
        )
        self._rounds, self._arrived, self._news = 0, {}, threading.Condition()
        self._sending, self._over = threading.Lock(), threading.Event()
        for task in self._listen, self._show_life:
            threading.Thread(target=task, daemon=True).start()

    def exchange(self, value: Any) -> list:
        """The values of all processes, in their order, once all have given theirs, as JSON holds them."""
        number, self._rounds = self._rounds, self._rounds + 1
        if self.process:
            self._send({"round": number, "value": value})
            return self._value(number, 0)
        values = [value, *(self._value(number, other) for other in range(1, self.count))]
        self._send({"round": number, "value": values})
        return values

    def part(self) -> None:
        """Ends the connections, all being done; whatever the others do then is their affair."""
        self.exchange(None)
        self._leave({"bye": True})

    def fail(self, reason: str) -> None:
        """Tells the others that this process ends, and why: in words that may follow its name."""
        self._leave({"end": f"{self.names[self.process]} {reason}"})

    def _leave(self, last: dict) -> None:
        self._over.set()
        self._send(last)

    def _value(self, number: int, other: int) -> Any:
        with self._news:
            self._news.wait_for(lambda: (number, other) in self._arrived)
            return self._arrived.pop((number, other))

    def _send(self, message: dict) -> None:
        content = json.dumps(message).encode()
        with self._sending:
            for line in list(self._lines.values()):
                with suppress(OSError):  # whoever is gone is noticed by the listener
                    line.send_bytes(content)

    def _show_life(self) -> None:
        while not self._over.wait(_SIGN):
            self._send({})

    def _listen(self) -> None:
        heard = dict.fromkeys(self._lines, time.monotonic())
        while self._lines and not self._over.is_set():
            ready = wait(list(self._lines.values()), timeout=1)
            for other, line in list(self._lines.items()):
                if line in ready:
                    self._hear(other, line)
                    heard[other] = time.monotonic()
                elif time.monotonic() - heard[other] > SILENCE and not line.poll():
                    self._end(f"{self.names[other]} has been silent for {SILENCE} seconds; {_AGAIN}")

    def _hear(self, other: int, line: Connection) -> None:
        try:
            message = json.loads(line.recv_bytes())
        except (EOFError, OSError):
            message = {"end": f"{self.names[other]} ended without a word; {_AGAIN}"}
        if "end" in message:
            self._end(message["end"])
        elif "bye" in message:
            del self._lines[other]
        elif "round" in message:
            with self._news:
                self._arrived[message["round"], other] = message["value"]
                self._news.notify_all()

    def _end(self, reason: str) -> None:
        """Ends this process where it stands: its main thread may wait for numbers that never come."""
        if self._over.is_set():
            return
        self._leave({"end": reason})
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os.write(2, f"\nerror: {printable(reason)}\n".encode())
        os._exit(1)


def _gathered(address: str, count: int) -> tuple[dict[int, Connection], list[str]]:
    """Connections to all others, by their numbers, and what to call each of all processes."""
    port, until = int(address.rpartition(":")[2]), time.monotonic() + ARRIVAL
    lines, nodes = {}, {0: platform.node()}
    try:
        server = socket.create_server(("", port), backlog=count)
    except OSError as error:
        raise DimError(f"port {port} cannot be opened here ({error.strerror}); choose another") from error
    with server:
        while len(lines) < count - 1:
            server.settimeout(max(0.01, until - time.monotonic()))
            try:
                line = _connection(server.accept()[0])
            except TimeoutError:
                missing = ", ".join(str(k) for k in range(1, count) if k not in lines)
                lack = f"of {count} processes {missing} did not come to {address} within {ARRIVAL} seconds"
                raise DimError(
                    f"{lack}; start the same command on every host, each with its --host"
                ) from None
            if hello := _hello(line):
                other = hello["process"]
                if hello["count"] != count or other in nodes or not 0 < other < count:
                    it = f"process {other} of {hello['count']} on {hello['node']}"
                    raise DimError(
                        f"{it} came to {address} and is not one of the {count} missing; check --host"
                    )
                lines[other], nodes[other] = line, hello["node"]
    names = [f"process {k} of {count} ({printable(nodes[k])})" for k in range(count)]
    for line in lines.values():
        line.send_bytes(json.dumps(names).encode())
    return lines, names


def _hello(line: Connection) -> dict | None:
    """Who it is that calls; None if it is somebody else, such as who looks which ports are open."""
    with suppress(OSError, EOFError, ValueError, TypeError, KeyError):
        if line.poll(5):
            hello = json.loads(line.recv_bytes(1000))
            return {
                "process": int(hello["process"]),
                "count": int(hello["count"]),
                "node": str(hello["node"]),
            }
    return None


def _called(address: str, process: int, count: int) -> tuple[dict[int, Connection], list[str]]:
    """The connection to process 0, by its number, and what to call each of all processes."""
    host, _, port = address.rpartition(":")
    until = time.monotonic() + ARRIVAL
    while True:
        try:
            line = _connection(socket.create_connection((host.strip("[]"), int(port)), timeout=5))
            break
        except OSError as error:
            if time.monotonic() > until:
                reason = error.strerror or error
                lack = f"{address} could not be reached for {ARRIVAL} seconds ({reason})"
                raise DimError(f"{lack}; start process 0 there, and let its port be open") from error
            time.sleep(0.5)
    try:
        hello = {"process": process, "count": count, "node": platform.node()}
        line.send_bytes(json.dumps(hello).encode())
        if line.poll(ARRIVAL + 5):
            return {0: line}, json.loads(line.recv_bytes())
    except (EOFError, OSError, ValueError):
        pass
    raise DimError(
        f"process 0 at {address} began without this process {process} of {count}; see what it says"
    )


def _connection(connected: socket.socket) -> Connection:
    connected.settimeout(None)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Connection(connected.detach())
