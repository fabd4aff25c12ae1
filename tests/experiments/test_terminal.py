"""What a program prints, whatever it prints to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from dataclasses import dataclass
from pathlib import Path
from experiments import command_line

@dataclass(frozen=True)
class Options:
    lines: int = 1

def program(options):
    for i in range(options.lines):
        print("ü 花 \\udcff", i)
    Path("worked").touch()
    if options.lines == 2:
        raise OSError("two\\nlines \\x1b \\udcff")

command_line.run(program, Options, "")
"""


@pytest.fixture
def printed(tmp_path):
    """`printed("| head -1", lines=3)` runs a program that prints, in a shell: (status, output, errors)."""

    def printed(to, lines, **environment):
        script = f'set -o pipefail; {sys.executable} -c "$PROGRAM" --lines {lines} {to}'
        ended = subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env={
                **os.environ,
                "PROGRAM": PROGRAM,
                "PYTHONPATH": str(Path(__file__).parents[2]),
                **environment,
            },
            capture_output=True,
            timeout=100,
        )
        assert (tmp_path / "worked").exists()
        return ended.returncode, ended.stdout.decode(), ended.stderr.decode()

    return printed


def test_no_name_is_unprintable(printed):
    assert printed("", 1, PYTHONIOENCODING="ascii:strict") == (0, "\\xfc \\u82b1 \\udcff 0\n", "")
    assert printed("", 1, PYTHONIOENCODING="utf8:strict") == (0, "ü 花 \\udcff 0\n", "")


def test_an_error_is_one_line_whatever_is_in_it(printed):
    status, _, errors = printed("", 2)
    assert status == 1 and errors == "error: two lines \\x1b \\udcff\n"


def test_the_work_is_done_though_nobody_reads_to_the_end(printed):
    assert printed("| head -1", 100_000) == (141, "ü 花 \\udcff 0\n", "")
    assert printed(">&-", 3) == (0, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to print to")
def test_a_full_disk_is_said_in_one_line(printed):
    status, _, errors = printed("> /dev/full", 3)
    assert status == 1 and errors == (
        "error: not all could be printed: No space left on device; make room, or print elsewhere\n"
    )
