"""What somebody types after `make` reaches the programs as it was typed, and runs nothing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"
HOSTILE = '/a b/`touch x`$(touch x)$HOME$(shell touch x)"; touch x; "\'*\n~'

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


@pytest.fixture
def make(tmp_path):
    """Runs make with a Python that prints its arguments: (status, those arguments, what went to stderr)."""
    for folder in ".venv", "bin":
        (tmp_path / folder).mkdir()
    (tmp_path / "requirements.txt").touch()
    (tmp_path / ".venv/.ready").touch()
    (tmp_path / "bin/python").write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n")
    (tmp_path / "bin/python").chmod(0o755)

    # `make test` tells those that it starts that they are below it, and what it was given itself.
    told = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "DATA", "PRESET", "EPOCHS", "RUN", "INIT", "IMAGE", "ARGS")
    outside = {name: value for name, value in os.environ.items() if name not in told}

    def make(*words, **environment):
        before = sorted(tmp_path.iterdir())
        done = subprocess.run(
            ["make", "--file", MAKEFILE, "BIN=bin", *words],
            env={**outside, **environment},
            capture_output=True,
            text=True,
        )
        assert sorted(tmp_path.iterdir()) == before  # nothing was run that makes a file
        return done.returncode, done.stdout.split("\0")[:-1], done.stderr

    return make


@pytest.mark.parametrize(
    ("target", "variable"),
    [("train", "DATA"), ("evaluate", "RUN"), ("search", "IMAGE"), ("compare", "EPOCHS"), ("train", "PRESET")],
)
def test_values_arrive_as_typed(make, target, variable):
    expected = ["-m", f"experiments.{target}", f"--{variable.lower()}={HOSTILE}"]
    assert make(target, f"{variable}={HOSTILE}")[1] == expected
    assert make(target, **{variable: HOSTILE})[1] == expected


def test_every_program_is_given_everything_and_nothing_that_is_empty(make):
    given = ["--data=d", "--preset=p", "--epochs=3", "--run=r", "--init=t", "--image=i", "--k", "a b"]
    words = ["DATA=d", "PRESET=p", "EPOCHS=3", "RUN=r", "INIT=t", "IMAGE=i", "ARGS=--k 'a b'"]
    for target in (
        "train",
        "recommend",
        "knn",
        "evaluate",
        "report",
        "verify",
        "index",
        "search",
        "near-duplicates",
        "export",
    ):
        assert make(target, *words)[1] == ["-m", f"experiments.{target.replace('-', '_')}", *given]
    assert make("compare", *words)[1][2:] == given
    assert make("knn", "RUN=", "ARGS=")[1] == ["-m", "experiments.knn"]


@pytest.mark.parametrize(
    "sign", ["`touch x`", "$(touch x)", "; touch x", "& touch x", "| touch x", "> x", "\ntouch x", "# 3"]
)
def test_words_that_would_be_commands_are_refused(make, sign):
    status, ran, complaint = make("knn", f"ARGS=--k 3 {sign}")
    assert status == 2 and not ran
    assert "ARGS cannot hold" in complaint and len(complaint.splitlines()) == 1
    assert make("knn", "ARGS=--title C#")[1][-1] == "C#"


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("EPOCH=1", "no variable EPOCH; did you mean EPOCHS?"),
        ("data=x", "no variable data; did you mean DATA?"),
        (
            "BATCH_SIZE=`touch x`",
            'no variable BATCH_SIZE; there are: DATA PRESET EPOCHS RUN INIT IMAGE ARGS, and ARGS="',
        ),
        ("a'b=1", "no variable a'b; there are"),
    ],
)
def test_misspelt_variables_are_refused_with_the_nearest(make, word, answer):
    status, ran, complaint = make("train", word)
    assert status == 2 and not ran
    assert answer in complaint and len(complaint.splitlines()) == 1
