"""What an evaluator is: something to be measured of features, and how it stands in a table.

Each lies in the module of what it measures, and in a line of `dim.evaluation.evaluators`.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dim.configuration import Configuration
from dim.data import Dataset

LABELS, CODES, ENCODER, COMPONENTS = "labels", "codes", "encoder", "components"
TRAINING, SVM = "training", "svm"  # leave to train something that takes minutes


@dataclass
class Features:
    """Features of images, and what there is to know of them.

    Attributes:
        train: [N, F] of any type, memory-mapped or not.
        train_labels: [N] int, or None.
        val: [Q, F].
        val_labels: [Q] int, or None.
        seed: of everything random.
        metrics: distances of the retrieval, of `l2`, `cosine`, `l1` and `mahalanobis`.
        notes: gathers what had to be left out and why, a line each; one dictionary for all features.
        dataset: the images.
        configuration: of the run.
        embed: from images to such features.
        encoder: whose codes they are, if they are.
        components: [N, P], principal components of the pixels of the training images.
    """

    train: np.ndarray
    train_labels: np.ndarray | None
    val: np.ndarray
    val_labels: np.ndarray | None
    seed: int = 0
    metrics: Sequence[str] = ("l2", "cosine")
    notes: dict[str, None] = field(default_factory=dict)
    dataset: Dataset | None = None
    configuration: Configuration | None = None
    embed: Callable[[np.ndarray], np.ndarray] | None = None
    encoder: Any = None
    components: np.ndarray | None = None

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)
        """Shared: what one evaluator draws, the next one does not draw again."""
        self._made = {}

    def note(self, words: str) -> None:
        """Says why something is left out."""
        self.notes[words] = None

    def once(self, make: Callable[["Features"], Any]):
        """What `make` makes of these features, made once for all evaluators that ask."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]


@dataclass(frozen=True)
class Section:
    """Tables that stand under one heading.

    Attributes:
        title: the heading.
        part: of evaluation.json that the numbers are in.
        lead: what stands before the tables; facts of the evaluation in braces.
    """

    title: str
    part: str
    lead: str = ""


ACCURACY = Section(
    "Accuracy", "features", "On validation images, in %; all {train:,} training images are known."
)
RETRIEVAL = Section("Retrieval", "features", "Each validation image among all others, itself left out; in %.")
GEOMETRY = Section("Geometry", "gauges")
DEPENDENCE = Section("Dependence", "dependence", "Estimates, never scores.")


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: of the number in evaluation.json.
        title: of the column.
        scale: what the number is multiplied by.
        digits: after the point; None for a count, which has no mean.
        table: title of the table, where a section has several.
        deviation: name of the number's standard deviation within a run, if it has one.
        ceiling: name of a number beyond which this one says nothing.
        instead: name of the words that may stand in its place.
    """

    name: str
    title: str
    scale: float = 1
    digits: int | None = 3
    table: str = ""
    deviation: str = ""
    ceiling: str = ""
    instead: str = ""


def share(name: str, title: str, **more) -> Column:
    """A column of shares of 1, in per cent."""
    return Column(name, title, 100, 1, **more)


@dataclass(frozen=True)
class Evaluator:
    """Something to be measured.

    Attributes:
        name: for the progress.
        section: where it is shown.
        needs: what features must have, of `LABELS`, `CODES` (few values, comparable with each other),
            `ENCODER`, `COMPONENTS`, `TRAINING` and `SVM`.
        measure: from features to name → number, or to fewer where a note says why; other values are kept
            in evaluation.json and not shown.
        columns: how it stands in a table.
        about: the protocol, items of Markdown that stand below the table.
    """

    name: str
    section: Section
    needs: Set[str]
    measure: Callable[[Features], dict[str, Any]]
    columns: tuple[Column, ...]
    about: str = ""
