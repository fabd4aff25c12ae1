"""Names that somebody else chose, of files, classes and runs, as text that does no harm.

Python holds the bytes of a file's name that are no UTF-8 as lone surrogates, by which the file still opens.
"""

import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from html import escape

_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_ESCAPED_BYTE = re.compile(r"\\udc([89a-f][0-9a-f])")
_MARKDOWN = re.compile(r"[\\`\[\]|]|<(?=[a-zA-Z/!?])")


def printable(name: object) -> str:
    """A name on one line, for terminals, pictures and tables.

    Control characters, line ends, signs that turn the direction of writing, and bytes that were no UTF-8
    become backslash escapes; all else stays as it is.
    """
    escape = "unicode_escape", "surrogatepass"
    return _UNPRINTABLE.sub(lambda found: found[0].encode(*escape).decode("ascii"), str(name))


def cell(name: object) -> str:
    """A name for a CSV file: spreadsheets compute what begins like a formula, unless a quote is before it."""
    text = printable(name)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def in_markdown(name: object) -> str:
    """A name for a Markdown file, where it makes no link, picture, tag or column."""
    return _MARKDOWN.sub(r"\\\g<0>", printable(name))


def in_html(name: object) -> str:
    """A name for HTML, as text or within quotes, where it is nothing but text."""
    return escape(printable(name))


def plotted(name: object) -> str:
    """A name for matplotlib, which computes formulas between dollars and hides what begins with _."""
    text = printable(name).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def as_unicode(name: str) -> str:
    """A file's name for files that hold nothing but Unicode; `as_on_disk` is the way back."""
    return name.encode("utf8", "backslashreplace").decode("utf8")


def as_on_disk(text: str) -> str:
    """The file's name that `as_unicode` was given, unless it held such an escape itself."""
    return _ESCAPED_BYTE.sub(lambda found: chr(0xDC00 + int(found[1], 16)), text)


def could_be_a_file(name: str) -> bool:
    """Whether the system can be asked for a file of this name."""
    try:
        return b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        return False


def did_you_mean(word: str, known: Iterable, cutoff: float = 0.6) -> str:
    """`did you mean X? ` where there is something near, otherwise nothing."""
    near = get_close_matches(word, map(str, known), n=1, cutoff=cutoff)
    return f"did you mean {near[0]}? " if near else ""
