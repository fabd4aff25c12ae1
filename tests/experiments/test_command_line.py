"""What all programs share: how they end."""

import errno
import os
import signal
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec

import pytest

from experiments import command_line


@dataclass(frozen=True)
class Options:
    seed: int = 0


@pytest.fixture
def ends(monkeypatch):
    """Runs a program that raises an exception: what it ends with."""
    before = {number: signal.getsignal(number) for number in command_line._ENDINGS}
    monkeypatch.setattr(command_line, "_received", [])

    def ends(error=None, *words):
        def program(options):
            if callable(error):
                error()
            elif error:
                raise error

        monkeypatch.setattr(sys, "argv", ["program", *words])
        with pytest.raises(SystemExit) as caught:
            command_line.run(program, Options, "")
        return caught.value.code

    yield ends
    for number, handler in before.items():
        signal.signal(number, handler)


class ResourceExhaustedError(Exception):
    """By its name TensorFlow's."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left", "a/b.png"), "a/b.png: No space left; make room"),
        (OSError(errno.EROFS, "Read-only file system", "a"), "a: Read-only file system; change its"),
        (OSError(errno.ENOENT, "No such file or directory", "a\nb"), r"a\nb: No such file or directory"),
        (OSError("broken in\ntwo"), "error: broken in two"),
        (MemoryError("9 TiB"), "error: not enough memory (9 TiB); try a smaller --batch-size"),
        (ResourceExhaustedError("OOM when\nallocating"), "not enough memory (OOM when allocating); try"),
        (RuntimeError("RESOURCE_EXHAUSTED: while trying"), "not enough memory (RESOURCE_EXHAUSTED: while"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you"), "not enough memory (Default"),
    ],
)
def test_a_full_disk_and_a_lack_of_memory_are_one_line_with_place_and_remedy(ends, error, said):
    line = ends(error)
    assert said in line and line.startswith("error: ") and len(line.splitlines()) == 1


def test_a_mistake_in_the_program_keeps_its_traceback(ends):
    with pytest.raises(RuntimeError, match="a bug"):
        ends(RuntimeError("a bug"))


@pytest.fixture
def as_at_a_terminal():
    """Signals as a terminal hands them on, whoever started the tests, and as they were afterwards."""
    before = {number: signal.getsignal(number) for number in command_line._ENDINGS}
    for number in before:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("as_at_a_terminal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_asks_to_end_is_answered_by_the_number_of_the_signal(ends, number):
    def interrupted():
        os.kill(os.getpid(), number)
        time.sleep(5)

    def swallowed_by_a_library():
        try:
            interrupted()
        except KeyboardInterrupt:
            raise ImportError("cannot import name") from None

    assert ends(interrupted) == 128 + number
    assert ends(swallowed_by_a_library) == 128 + number


@pytest.mark.usefixtures("as_at_a_terminal")
def test_a_signal_that_is_ignored_from_the_beginning_stays_so(ends):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def hung_up():
        os.kill(os.getpid(), signal.SIGHUP)
        raise OSError("reached")

    assert ends(hung_up) == "error: reached"


@pytest.mark.usefixtures("as_at_a_terminal")
def test_where_there_is_nothing_to_lose_the_system_ends_the_process():
    command_line._listen()
    with command_line.nothing_to_lose():
        assert {signal.getsignal(number) for number in command_line._ENDINGS} == {signal.SIG_DFL}
    assert signal.getsignal(signal.SIGTERM) is command_line._interrupt


@pytest.mark.parametrize("seed", ["-1", str(2**31), str(2**32)])
def test_seeds_that_some_library_cannot_have_are_refused(ends, seed):
    assert "a seed must be at least 0 and at most 2,147,483,647" in ends(None, "--seed", seed)


def test_a_backend_that_does_not_exist_is_refused_with_the_nearest(monkeypatch, declined):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflo")
    with declined("KERAS_BACKEND=tensorflo cannot train", "did you mean tensorflow?"):
        command_line.import_keras()


def test_settings_of_keras_that_do_not_suit_are_overruled_or_refused(
    refused, command, initial_run, tmp_path, monkeypatch
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text('{"floatx": "float16", "image_data_format": "channels_first"}')
    status, out, err = command("knn", "--k", 3)
    assert status == 0 and "knn_l2.png" in out, err
    (tmp_path / "keras.json").write_text('{"floatx": "float3"}')
    assert "repair or remove" in refused("knn")
    (tmp_path / "keras.py").write_text(
        "import os, signal\nos.write(2, b'drowning')\nos.kill(os.getpid(), signal.SIGINT)\n"
    )
    status, _, err = command("knn")
    assert status == 130 and "drowning" not in err and "Traceback" not in err
    (tmp_path / "keras.py").unlink()
    if missing := [backend for backend in ("jax", "torch") if not find_spec(backend)]:
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "nowhere"))
        monkeypatch.setenv("KERAS_BACKEND", missing[0])
        assert "is not installed; install it, or set KERAS_BACKEND" in refused("knn")


def test_ctrl_c_before_the_program_listens_is_silent(fresh, tmp_path):
    """The first import of a library is that of tyro; this one stands before it."""
    (tmp_path / "tyro.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)")
    assert fresh("knn") == (-signal.SIGINT, "", "")
