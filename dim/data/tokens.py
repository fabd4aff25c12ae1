"""From texts to numbers of tokens, without a vocabulary that would have to be kept."""

import re
import zlib
from collections.abc import Iterable, Sequence

import numpy as np

TOKENS = 2**15
"""Of different numbers there are; 0 stands for none and pads."""
_WORD = re.compile(r"\w+")
_PIECES = 3, 4, 5  # letters


def words(text: str) -> list[str]:
    """Runs of letters, digits and underscores of any script, in lower case."""
    return _WORD.findall(text.lower())


def with_pieces(text: str) -> list[str]:
    """The words, and of each, `<` before and `>` behind it, all pieces of 3 to 5 letters (fastText).

    https://arxiv.org/abs/1607.04606. Two forms of a word then have much in common, and so has a slip of the
    keyboard.
    """
    found = []
    for word in words(text):
        marked = f"<{word}>"
        found += [word, *(marked[i : i + n] for n in _PIECES for i in range(len(marked) - n + 1))]
    return found


def once(text: str) -> list[str]:
    """The words, each where it comes first."""
    return list(dict.fromkeys(words(text)))


def number(token: str) -> int:
    """Of a token, the same on every machine: 1 … TOKENS - 1 by its CRC-32; two tokens may share one."""
    return 1 + zlib.crc32(token.encode("utf8", "surrogatepass")) % (TOKENS - 1)


def tokenised(texts: Iterable[str], length: int, split=words) -> np.ndarray:
    """The first tokens of each text, padded with 0: [N, length] int32. An empty text is 0 throughout."""
    rows = [[number(token) for token in split(text)[:length]] for text in texts]
    return padded(rows, length)


def padded(rows: Sequence[Sequence[int]], length: int) -> np.ndarray:
    """Rows of numbers, each as long or shorter, as one array: [N, length] int32."""
    array = np.zeros((len(rows), length), "int32")
    for to, row in zip(array, rows, strict=True):
        to[: len(row)] = row
    return array
