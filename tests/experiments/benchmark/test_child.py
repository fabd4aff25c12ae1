"""A process that obeys, and one that cannot."""

import os

import pytest

from experiments.benchmark.child import Child, Failed

MODULE = """
import os, time
print("noise")

def count(start):
    done = [start]
    def add():
        done[0] += 1
        print(done)
        time.sleep(0.01)
    def fail():
        raise ValueError("two\\nlines")
    def die():
        os._exit(3)
    return {"add": add, "fail": fail, "die": die}, {"start": start, "pid": os.getpid()}
"""


@pytest.fixture
def child(tmp_path, monkeypatch):
    (tmp_path / "counting.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    child = Child("counting")
    yield child
    child.close()


def test_blocks_are_timed_where_they_run_whatever_is_printed(child):
    runs, facts = child.prepare("count", start=5)
    assert facts["start"] == 5
    assert 0.05 <= runs["add"](5) < 0.5
    assert runs["add"](1) < runs["add"](20)


def test_an_error_is_one_line_and_the_process_goes_on(child):
    runs, _ = child.prepare("count", start=0)
    with pytest.raises(Failed, match="ValueError: two lines"):
        runs["fail"](1)
    assert runs["add"](1) > 0
    with pytest.raises(Failed, match="nothing"):
        child.prepare("nothing")


def test_what_was_forgotten_cannot_be_run(child):
    runs, _ = child.prepare("count", start=0)
    child.forget()
    with pytest.raises(Failed):
        runs["add"](1)


def test_a_process_that_dies_is_noticed(child):
    runs, _ = child.prepare("count", start=0)
    with pytest.raises(Failed, match="status 3"):
        runs["die"](1)


def test_a_module_that_cannot_be_imported_says_so():
    child = Child("no_such_module")
    with pytest.raises(Failed, match="no_such_module"):
        child.prepare("anything")
    child.close()


def test_closing_ends_it(child):
    _, facts = child.prepare("count", start=0)
    child.close()
    with pytest.raises(ProcessLookupError):
        os.kill(facts["pid"], 0)
