"""What a user imports from `dim`."""

import importlib
import subprocess
import sys
from types import ModuleType

import pytest

import dim


@pytest.mark.parametrize("name", dim.__all__)
def test_every_public_name_is_there_again_and_again(name):
    first = getattr(dim, name)
    room = isinstance(first, ModuleType)
    importlib.import_module(first.__name__ if room else first.__module__)  # which puts nothing in its place
    assert getattr(dim, name) is first and (room or callable(first))


@pytest.mark.parametrize("name", ["data.load", "measures.kl_divergence", "train"])
def test_rooms_are_reached_without_importing_them_and_without_keras(name):
    program = f"import dim, sys; print(callable(dim.{name}), 'keras' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", program], cwd=dim.__path__[0] + "/..") == (
        b"True False\n"
    )


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        dim.nonsense  # noqa: B018
