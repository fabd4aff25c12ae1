"""Names that somebody else chose, of files, classes and runs, as text that does no harm."""

import re

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(name: object) -> str:
    """A name on one line, for terminals, pictures and tables.

    Control characters, line ends, signs that turn the direction of writing, and bytes that were no UTF-8
    become backslash escapes; all else stays as it is.
    """
    return _UNPRINTABLE.sub(lambda found: _escaped(found[0]), str(name))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
