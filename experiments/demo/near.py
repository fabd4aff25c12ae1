"""Near-duplicates of an index, in groups, for the page."""

from threading import Lock

import numpy as np
from tqdm import tqdm

from dim.search.duplicates import close_pairs
from dim.search.engine import IndexMetric
from dim.search.groups import facts_of, groups_of
from dim.search.index import Index
from experiments.demo import html

_SHOWN = 100  # groups


class Near:
    """Compares all pairs; one comparison after another, and the last is kept."""

    def __init__(self):
        self._alone, self._asked, self._answer = Lock(), None, ("", "")

    def compare(self, index: Index, threshold: float, metric: IndexMetric) -> tuple[str, str]:
        """What to say about the groups, and the largest of them, as HTML.

        Raises ValueError if the threshold does not fit, or too many pairs are closer.
        """
        with self._alone:
            if self._asked != (threshold, metric):
                self._answer = _compared(index, threshold, metric)
                self._asked = threshold, metric
            return self._answer


def _compared(index: Index, threshold: float, metric: IndexMetric) -> tuple[str, str]:
    pairs = close_pairs(index.codes, threshold, metric)
    rows = np.unique(pairs.rows).tolist()
    facts = {
        row: facts_of(index.where, index.name(row)) for row in tqdm(rows, "reading files", unit=" images")
    }
    groups = groups_of(index, pairs, facts)
    largest = f", of which the {_SHOWN} largest are shown" if len(groups) > _SHOWN else ""
    said = f"{len(groups):,} groups of {len(rows):,} images within {metric} distance {threshold:g}{largest}"
    return html.note(said), html.groups(index, groups[:_SHOWN], facts)
