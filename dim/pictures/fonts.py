"""Fonts that have the letters which are written, whatever their script."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

_RICH = (
    "mpl-data/fonts/ttf/DejaVuSans.ttf"  # matplotlib ships it; Pillow's own knows hardly more than English
)


def font_for(text: str, font: ImageFont.FreeTypeFont) -> tuple[str, ImageFont.FreeTypeFont]:
    """What to write, and in what: the font itself if that is plain English, otherwise another of its size.

    Where no font of the system has a letter, it is written as Python writes it, such as \\u732b.
    """
    if text.isascii():
        return text, font
    text, file = covered(text)
    return text, ImageFont.truetype(file, font.size)


def covered(text: str) -> tuple[str, Path]:
    """A text and the file of a font that has all of its letters; those that none has are escaped."""
    letters = frozenset(text)
    if lacking := _lacking(rich(), letters):
        for file in _system_fonts():
            if not _lacking(file, letters):
                return text, file
        best = min((rich(), *_system_fonts()), key=lambda file: len(_lacking(file, letters)))
        lacking = _lacking(best, letters)
        return "".join(_escaped(letter) if letter in lacking else letter for letter in text), best
    return text, rich()


def rich() -> Path:
    """The font that is always there."""
    return Path(find_spec("matplotlib").origin).parent / _RICH


@lru_cache(maxsize=256)
def _lacking(file: Path, letters: frozenset[str]) -> frozenset[str]:
    return frozenset(letter for letter in letters if ord(letter) not in _known(file))


@lru_cache(maxsize=256)
def _known(file: Path) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(str(file)).get_charmap())
    except (RuntimeError, OSError, UnicodeError):  # of a kind that is not read, or gone
        return frozenset()


@lru_cache
def _system_fonts() -> tuple[Path, ...]:
    from matplotlib.font_manager import findSystemFonts

    return tuple(sorted(map(Path, findSystemFonts())))


def _escaped(letter: str) -> str:
    return letter.encode("ascii", "backslashreplace").decode()
