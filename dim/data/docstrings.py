"""The embedded default: what functions of the installed libraries say of themselves.

Real texts, without a download; the class of each is the library. Never a benchmark: libraries differ in words
that occur in no other.
"""

import ast
import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from dim.data.texts import Collection, Texts, split_by_name

LIBRARIES = "keras", "matplotlib", "numpy", "scipy", "skimage", "sklearn"
_EACH, _LEAST = 300, 20  # texts of a library, words of a text
_TESTS = re.compile(r"(^|/)(tests?|_?testing|conftest)")


def docstrings() -> Collection:
    """300 docstrings of each library, as long as there are so many of 20 words or more."""
    found = [(library, name, text) for library in LIBRARIES for name, text in _of(library)]
    labels = np.array([LIBRARIES.index(library) for library, _, _ in found], "int64")
    texts = Texts([text for _, _, text in found], labels, [name for _, name, _ in found])
    return split_by_name("docstrings", texts, LIBRARIES, "of installed libraries")


@lru_cache
def _of(library: str) -> list[tuple[str, str]]:
    """Names and docstrings of functions and classes, read from the sources, nothing imported."""
    root, found = Path(find_spec(library).origin).parent, {}
    for file in sorted(root.rglob("*.py")):
        inside = file.relative_to(root).as_posix()
        if _TESTS.search(inside) or len(found) >= 2 * _EACH:
            continue
        for node in ast.walk(ast.parse(file.read_bytes())):
            text = ast.get_docstring(node) if isinstance(node, ast.FunctionDef | ast.ClassDef) else None
            if text and len(text.split()) >= _LEAST:
                found.setdefault(text, f"{library}/{inside}:{node.name}")
    order = np.random.default_rng(0).permutation(len(found))[:_EACH]
    each = [(name, text) for text, name in found.items()]
    return [each[i] for i in sorted(order)]
