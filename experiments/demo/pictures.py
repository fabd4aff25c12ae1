"""Images of an index by their numbers, as small JPEG files in memory."""

import base64
import io
from functools import lru_cache

import numpy as np
from PIL import Image

from dim.search.index import Index

_SIZE, _QUALITY, _KEPT = 192, 88, 4096


@lru_cache(maxsize=_KEPT)
def thumbnail(index: Index, row: int) -> bytes:
    """Image `row`, decoded as everywhere here, a grey square if it is no longer there."""
    return _jpeg(index.picture(row, _SIZE))


def address(pixels: np.ndarray) -> str:
    """An image [S, S, 3] uint8 as its own address, which nobody has to fetch."""
    return f"data:image/jpeg;base64,{base64.b64encode(_jpeg(pixels)).decode('ascii')}"


def _jpeg(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
