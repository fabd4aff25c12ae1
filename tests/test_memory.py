"""Memory that is kept is not asked for again."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from dim.memory import keep_freed
if sys.argv[1] == "keep":
    keep_freed()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    np.ones(2**23)
before = faults()
for _ in range(10):
    np.ones(2**23)
print(faults() - before)
"""


def faults(how):
    at = Path(__file__).parents[1]
    return int(subprocess.check_output([sys.executable, "-c", PROGRAM, how], cwd=at, text=True))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives memory back at once")
def test_large_arrays_find_the_pages_of_those_before_them():
    assert faults("keep") < 100 < faults("leave")
