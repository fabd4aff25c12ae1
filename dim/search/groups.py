"""Images that are the same or nearly so, in groups that one can act on."""

import hashlib
import io
from typing import NamedTuple

import numpy as np
from PIL import ImageOps
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from dim.data.decode import MOST_PIXELS, open_image, to_rgb
from dim.data.picture import original
from dim.search.duplicates import Pairs
from dim.search.index import Index

KINDS = "same bytes", "same pixels", "near"


class Facts(NamedTuple):
    """What is known of an image's file; zeros and no digests where it has none of its own any more."""

    width: int = 0
    height: int = 0
    bytes: int = 0
    content: str = ""  # digest of the file
    pixels: str = ""  # digest of what it shows, upright and in RGB, at its own size


class Group(NamedTuple):
    """Images of an index that are connected by pairs."""

    kind: str  # of KINDS
    rows: list[int]  # the first is the one to keep: of most pixels, then of most bytes, then by name
    distance: float  # the greatest among its pairs


def facts_of(where: str, name: str) -> Facts:
    """Reads an image's file and decodes it at its own size."""
    if (content := original(where, name)) is None:
        return Facts()
    digest = hashlib.sha256(content).hexdigest()
    try:
        with open_image(io.BytesIO(content)) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                return Facts(width, height, len(content), digest)
            pixels = np.asarray(to_rgb(ImageOps.exif_transpose(image)))
    except Exception:  # a damaged file can raise almost anything in a decoder
        return Facts(0, 0, len(content), digest)
    shown = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
    return Facts(width, height, len(content), digest, shown)


def groups_of(index: Index, pairs: Pairs, facts: dict[int, Facts]) -> list[Group]:
    """Groups of pairs, the largest first: of the same bytes, of the same pixels, and of all that is near.

    A group of the same bytes is not repeated as one of the same pixels or as a near one, nor one of the same
    pixels as a near one, unless more images belong to it.

    Args:
        index: of the images.
        pairs: of its rows, by `close_pairs`.
        facts: of each row in a pair.
    """

    def equal(what: str) -> np.ndarray:
        values = [[getattr(facts[row], what) for row in pair] for pair in pairs.rows.tolist()]
        return np.array([one == other != "" for one, other in values], bool)

    def order(row: int):
        known = facts[row]
        return -known.width * known.height, -known.bytes, index.name(row)

    found, seen = [], set()
    of_kind = equal("content"), equal("pixels"), slice(None)
    for kind, which in zip(KINDS, of_kind, strict=True):
        rows, distances = pairs.rows[which].reshape(-1, 2), pairs.distances[which].reshape(-1)
        for members, distance in _connected(rows, distances):
            if members not in seen:
                seen.add(members)
                found.append(Group(kind, sorted(members, key=order), distance))
    return sorted(found, key=lambda group: (-len(group.rows), group.distance, group.rows))


def _connected(rows: np.ndarray, distances: np.ndarray) -> list[tuple[frozenset[int], float]]:
    """The images that pairs connect, and the greatest distance of those pairs."""
    known, places = np.unique(rows, return_inverse=True)
    one, other = places.reshape(-1, 2).T
    shape = len(known), len(known)
    _, part = connected_components(coo_matrix((np.ones(len(one)), (one, other)), shape), directed=False)
    greatest = np.zeros(part.max(initial=-1) + 1)
    np.maximum.at(greatest, part[one], distances)
    ends = np.cumsum(np.bincount(part, minlength=1))[:-1]
    members = np.split(known[np.argsort(part, kind="stable")], ends) if len(known) else []
    return [(frozenset(each.tolist()), far) for each, far in zip(members, greatest.tolist(), strict=True)]
