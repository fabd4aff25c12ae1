"""Processes that find each other, agree, and hear of each other's end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dim.training import peers

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """
import sys, time
from dim.errors import DimError
from dim.training import peers

address, count, process, what = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
peers.ARRIVAL, peers.SILENCE, peers._SIGN = 20, 5, 0.2
try:
    ours = peers.Peers(address, count, process)
    print(ours.exchange({"from": process}), ours.exchange(process), flush=True)
    if what == "part":
        ours.part()
    elif what == "fail":
        ours.fail("stopped: no room")
    else:
        time.sleep(60)
except DimError as error:
    sys.exit(f"refused: {error}")
"""


@pytest.fixture
def address():
    with socket.create_server(("", 0)) as free:
        return f"localhost:{free.getsockname()[1]}"


@pytest.fixture
def start(address):
    """`start(process, what)` starts one of three, which do `what` once they have agreed."""
    started = []

    def start(process, what="part", count=3):
        command = [sys.executable, "-c", PROGRAM, address, str(count), str(process), what]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_all_hear_the_same_in_the_order_of_processes_and_part(start):
    for process in [start(k) for k in (2, 1, 0)]:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0 and not err, err
        assert out == "[{'from': 0}, {'from': 1}, {'from': 2}] [0, 1, 2]\n"


@pytest.mark.parametrize("killed", [0, 1])
def test_where_one_is_killed_the_others_end_and_say_which(start, killed):
    processes = [start(k, "stay") for k in range(3)]
    for process in processes:
        assert process.stdout.readline()
    processes.pop(killed).kill()
    for process in processes:
        _, err = process.communicate(timeout=30)
        assert (
            process.returncode == 1
            and err.startswith(f"\nerror: process {killed} of 3 (")
            and err.count("\n") == 2
        )
        assert "ended without a word" in err and "start the same command on every host again" in err


def test_why_one_fails_is_said_by_all_others(start):
    others = [start(k, "stay") for k in (0, 1)]
    start(2, "fail")
    for process in others:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 1 and "process 2 of 3 (" in err and err.endswith(") stopped: no room\n")


def test_one_that_is_silent_counts_as_gone(start):
    first, second, third = (start(k, "stay") for k in range(3))
    for process in first, second, third:
        assert process.stdout.readline()
    third.send_signal(signal.SIGSTOP)
    for process in first, second:
        _, err = process.communicate(timeout=30)
        assert process.returncode == 1 and "process 2 of 3 (" in err and "silent for 5 seconds" in err


def test_who_is_missing_is_said(monkeypatch, address, declined):
    monkeypatch.setattr(peers, "ARRIVAL", 0.2)
    with declined("of 3 processes 1, 2 did not come", address, "each with its --host"):
        peers.Peers(address, 3, 0)
    with declined(address, "could not be reached", "start process 0 there"):
        peers.Peers(address, 3, 1)


def test_a_port_that_is_taken_is_declined(declined):
    with socket.create_server(("", 0)) as taken, declined("cannot be opened here", "choose another"):
        peers.Peers(f"localhost:{taken.getsockname()[1]}", 2, 0)


def test_two_of_the_same_number_are_declined(start):
    first = start(0)
    start(1), start(1)
    _, err = first.communicate(timeout=60)
    assert first.returncode == 1 and "process 1 of 3" in err and "check --host" in err


def test_a_stranger_at_the_port_does_not_matter(start, address):
    first, until = start(0), time.monotonic() + 30
    while True:
        try:
            stranger = socket.create_connection(("localhost", int(address.partition(":")[2])))
            break
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)
    stranger.sendall(json.dumps({"GET": "/"}).encode())
    stranger.close()
    for process in [first, start(1), start(2)]:
        assert process.wait(timeout=60) == 0
