"""Running the programs as a user does: another process, in an empty folder."""

import atexit
import os
import runpy
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SMALL = ["--image-size", "16", "--code-size", "8", "--critic-units", "8", "--batch-size", "20"]
SMALL += ["--precision", "float32", "--views", "1", "--alpha", "0"]


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
def fresh(start):
    """Runs a program to its end: (exit status, standard output, standard error)."""

    def fresh(name, *arguments, inside=()):
        process = start(name, *arguments, inside=inside)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    return fresh


_BY_LIBRARIES = {"PYTEST_CURRENT_TEST", "TF_CPP_MIN_LOG_LEVEL", "ORT_DISABLE_TELEMETRY"}
_forks = get_context("forkserver")
_forks.set_forkserver_preload(["keras", "keras.backend", "faiss", "matplotlib.figure", "sklearn.neighbors"])


@pytest.fixture
def command(fresh, tmp_path):
    """As `fresh`, in a process that has Keras imported already: that is half of most programs' time.

    Unless the test has changed the environment, which libraries read when they are imported.
    """
    before = dict(os.environ)  # of now, since libraries change it as well

    def command(name, *arguments, inside=()):
        changed = {key for key, _ in os.environ.items() ^ before.items()}
        if inside or changed - _BY_LIBRARIES:
            return fresh(name, *arguments, inside=inside)
        printed = [tmp_path.parent / f"{tmp_path.name} {stream}" for stream in ("out", "err")]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        process = _forks.Process(target=_program, args=(name, arguments, tmp_path, environment, printed))
        process.start()
        process.join(300)
        if process.is_alive():
            process.kill()
        process.join()
        return process.exitcode, *(file.read_bytes().decode() for file in printed)

    return command


def _program(name, arguments, folder, environment, printed):
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for stream, file in enumerate(printed, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    sys.path.insert(0, str(REPOSITORY))
    sys.argv[1:] = map(str, arguments)
    try:
        runpy.run_module(f"experiments.{name}", run_name="__main__", alter_sys=True)
    finally:
        sys.stdout.flush()
        atexit._run_exitfuncs()


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


@pytest.fixture(scope="session")
def onnx_files():
    """What encoders became, as bytes, by their weights and the size of their images."""
    return {}


@pytest.fixture(autouse=True)
def exported_once(onnx_files, monkeypatch):
    """An index of an encoder that an earlier test has exported takes that ONNX file: two seconds less."""
    from dim.encoders.embedding import fingerprint
    from dim.export import onnx_codes

    write = onnx_codes.write_onnx

    def write_once(file, encoder, image_size):
        key = fingerprint(encoder), image_size
        if key not in onnx_files:
            write(file, encoder, image_size)
            onnx_files[key] = file.read_bytes()
        file.write_bytes(onnx_files[key])

    monkeypatch.setattr(onnx_codes, "write_onnx", write_once)


@pytest.fixture(scope="session")
def initial_checkpoint(tmp_path_factory):
    from dim.configuration import Configuration
    from dim.methods.build import build_model

    small = {"image_size": 16, "code_size": 8, "critic_units": 8, "precision": "float32"}
    configuration, file = Configuration(**small), tmp_path_factory.mktemp("initial") / "checkpoint.keras"
    build_model(configuration).save(file)
    return configuration, file


@pytest.fixture
def initial_run(initial_checkpoint, photographs, tmp_path):
    """A run on the photographs that is as good as trained: its checkpoint holds the initial weights."""
    from dim.training.run import Run

    configuration, file = initial_checkpoint
    run = Run(f"{tmp_path}/runs/first")
    run.claim(replace(configuration, data=str(photographs)))
    shutil.copy(file, run.checkpoint)
    return run
