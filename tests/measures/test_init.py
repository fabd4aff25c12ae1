"""What a user imports from `dim.measures`, and what comes along with it."""

import subprocess
import sys
from pathlib import Path

import pytest

from dim import measures


@pytest.mark.parametrize("name", measures.__all__)
def test_every_public_name_is_there_and_documented(name):
    thing = getattr(measures, name)
    assert (
        callable(thing)
        and thing.__doc__
        and thing.__module__.startswith(("dim.measures.", "dim.evaluation."))
    )


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        measures.nonsense  # noqa: B018


def test_all_but_the_variational_bounds_do_without_keras_and_the_rest_of_the_project():
    modules = "arguments", "centroid", "discrete", "distances", "gaussian", "information"
    program = f"""
import sys
from importlib import import_module
for module in {modules}:
    import_module("dim.measures." + module)
print([m for m in sys.modules if m in ("keras", "tensorflow", "jax", "torch")])
print(sorted(m for m in sys.modules if m.startswith("dim.") and not m.startswith("dim.measures")))
"""
    repository = Path(__file__).parents[2]
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["[]", "[]"]
