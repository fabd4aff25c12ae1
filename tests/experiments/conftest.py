"""Running the programs as a user does: another process, in an empty folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SMALL = ["--image-size", "16", "--code-size", "8", "--critic-units", "8", "--batch-size", "20"]
SMALL += ["--precision", "float32"]


@pytest.fixture
def start(tmp_path):
    """Starts `python -m experiments.NAME ARGUMENTS` in the test's folder."""

    def start(name, *arguments, inside=()):
        ours = signal.signal(signal.SIGINT, signal.default_int_handler)  # were it ignored, so would the child
        process = subprocess.Popen(
            [*inside, sys.executable, "-m", f"experiments.{name}", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        signal.signal(signal.SIGINT, ours)
        return process

    return start


@pytest.fixture
def command(start):
    """Runs a program to its end: (exit status, standard output, standard error)."""

    def command(name, *arguments, inside=()):
        process = start(name, *arguments, inside=inside)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    return command


@pytest.fixture
def refused(command):
    """Runs a program that must end with status 1 and exactly one line, which it returns."""

    def refused(name, *arguments, inside=()):
        status, out, err = command(name, *arguments, inside=inside)
        complaint = [line for line in err.splitlines() if line.startswith("error: ")]
        assert status == 1 and len(complaint) == 1, out + err
        assert "Traceback" not in err
        return complaint[0]

    return refused


@pytest.fixture
def initial_run(photographs, tmp_path):
    """A run on the photographs that is as good as trained: its checkpoint holds the initial weights."""
    from dim.configuration import Configuration
    from dim.methods.build import build_model
    from dim.training.run import Run

    small = {"image_size": 16, "code_size": 8, "critic_units": 8, "precision": "float32"}
    configuration = Configuration(data=str(photographs), **small)
    run = Run(f"{tmp_path}/runs/first")
    run.claim(configuration)
    run.save(build_model(configuration))
    return run
