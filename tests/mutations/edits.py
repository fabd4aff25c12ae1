"""What an error is made of: a text of the code, another in its place, and the tests that must notice."""

from importlib import import_module
from typing import NamedTuple

LISTS = (
    "learning",
    "encoders_and_methods",
    "evaluation",
    "search",
    "data",
    "measures",
    "programs",
    "recommendation",
    "texts",
)


class Edit(NamedTuple):
    """One small error.

    Attributes:
        file: of the code.
        tests: what pytest is told to run: the test files that mirror it.
        what: the error in words.
        old: text that occurs once in the file.
        new: what stands there in its place.
        equivalent: why nobody could notice; empty for an error.
    """

    file: str
    tests: str
    what: str
    old: str
    new: str
    equivalent: str = ""


def edits_of(file: str, tests: str, *edits: tuple[str, ...]) -> list[Edit]:
    """Several errors of a file that the same tests mirror: (what, old, new) each, or with a reason."""
    return [Edit(file, tests, *edit) for edit in edits]


def every_edit() -> list[Edit]:
    """All that are listed, in the order of their files."""
    return [edit for name in LISTS for edit in import_module(f"lists.{name}").EDITS]
