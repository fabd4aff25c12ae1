"""What programs are answered: the same search as that of the page, as JSON."""

import base64
import binascii

from dim.errors import DimError
from dim.names import as_unicode
from dim.search.nearest import METRICS
from experiments.demo.finder import Finder


def searched(finder: Finder, image: str, number: int, k: int, only: str, apart: float) -> dict:
    """The neighbours by each metric, of an image in base64 or else of one of the index by its number.

    Without near-duplicates where `apart`, their greatest distance, is 0 or more. Gradio's client would fetch
    a `file`, were it called `path`. DimError where anything does not fit.
    """
    own = None if image else number
    code = finder.code(finder.seen(from_base64(image))) if image else finder.code_of(number)
    chosen = {"only": only, "apart": None if apart < 0 else apart}
    return {
        metric: [
            {"rank": rank, **_about(finder, each.row), "distance": float(f"{each.distance:.6g}")}
            for rank, each in enumerate(finder.nearest(code, metric, k, own, **chosen), 1)
        ]
        for metric in METRICS
    }


def from_base64(text: str) -> bytes:
    """DimError if that is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DimError("the image is no base64; send its file so") from error


def _about(finder: Finder, row: int) -> dict:
    index = finder.index
    label, ids = index.labels[row].as_py(), index.ids
    known = {"number": row, "file": as_unicode(index.path(row)), "label": label}
    return {**known, "id": None if ids is None else ids[row].as_py()}
