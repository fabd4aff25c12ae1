"""A map of the codes in two dimensions, with what the page needs to draw it and to search from it."""

from threading import Lock

import numpy as np
from threadpoolctl import threadpool_limits

from dim.errors import DimError
from dim.names import printable
from experiments.demo import html
from experiments.demo.finder import Finder
from experiments.report.code_map import LEAST, colour, layout

MOST = 5_000  # codes, which take t-SNE a minute; 20,000 take it many
_COLOURS = 20


class Map:
    """Places codes once, when somebody looks."""

    def __init__(self):
        self._alone, self._places = Lock(), None

    def drawn(self, finder: Finder, by: str | None) -> tuple[str, dict]:
        """What to say about the map, as HTML, and `places` with their colours by `class` or `folder`."""
        with self._alone:
            self._places = self._places or places(finder)
        inks = coloured(finder, self._places["rows"], by)
        shown, held = len(self._places["rows"]), len(finder.index)
        some = f"{shown:,} of {held:,} images, drawn at random" if shown < held else f"all {held:,} images"
        said = f"t-SNE of the codes of {some}. A click searches from an image; grey has no colour of its own."
        return html.note(said), self._places | inks


def places(finder: Finder) -> dict:
    """Of at most 5,000 random images: `rows`, `x` and `y` from 0 to 1, and `names`, N of each.

    Raises DimError where there are too few images, or all codes are the same.
    """
    index = finder.index
    rows = np.sort(np.random.default_rng(0).permutation(len(index))[:MOST])
    codes = np.asarray(index.codes[rows], "float32")
    if len(rows) < LEAST or np.ptp(codes, axis=0).max() == 0:
        raise DimError(f"a map needs at least {LEAST} images whose codes are not all the same")
    with threadpool_limits(
        1, "openmp"
    ):  # where others work too, two of its threads mostly wait for each other
        x, y = layout(codes).round(4).T.tolist()
    names = [printable(index.name(row)) for row in rows]
    return {"rows": rows.tolist(), "x": x, "y": y, "names": names}


def coloured(finder: Finder, rows: list[int], by: str | None) -> dict:
    """Which colour each of the rows has, `inks` [N], by `class`, by `folder` or by
    nothing, and the `legend` [C, 2].

    The 20 largest have a colour, the others are grey, and number -1.
    """
    inks, legend = np.full(len(finder.index), -1), []
    parts = finder.parts_by(by)
    largest = sorted(parts, key=lambda name: (-len(parts[name]), name))[:_COLOURS]
    for number, name in enumerate(sorted(largest, key=lambda name: -len(parts[name]))):
        inks[parts[name]] = number
        legend.append([name, "#{:02x}{:02x}{:02x}".format(*colour(number))])
    return {"inks": inks[rows].tolist(), "legend": legend}
