"""What a user imports from `dim`."""

import importlib

import pytest

import dim


@pytest.mark.parametrize("name", dim.__all__)
def test_every_public_name_is_there_again_and_again(name):
    first = getattr(dim, name)
    importlib.import_module(first.__module__)  # importing its home must not put a module in its place
    assert getattr(dim, name) is first and callable(first)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        dim.nonsense  # noqa: B018
