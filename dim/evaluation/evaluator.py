"""What an evaluator is: something to be measured of features, and how it stands in a table.

Each lies in the module of what it measures, and in a line of `dim.evaluation.evaluators`.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from dim.configuration import Configuration
from dim.data import Dataset

LABELS, CODES, ENCODER, COMPONENTS = "labels", "codes", "encoder", "components"
TRAINING, SVM = "training", "svm"  # leave to train something that takes minutes


@dataclass
class Features:
    """Features of images, and what there is to know of them."""

    train: np.ndarray  # [N, F] of any type, memory-mapped or not
    train_labels: np.ndarray | None  # [N] int
    val: np.ndarray  # [Q, F]
    val_labels: np.ndarray | None  # [Q] int
    seed: int = 0  # of everything random
    metrics: Sequence[str] = ("l2", "cosine")  # of the retrieval; also `l1` and `mahalanobis`
    notes: dict[str, None] = field(default_factory=dict)  # what was left out and why, of all features
    dataset: Dataset | None = None
    configuration: Configuration | None = None  # of the run
    embed: Callable[[np.ndarray], np.ndarray] | None = None  # from images to such features
    encoder: Any = None  # whose codes they are, if they are
    components: np.ndarray | None = None  # [N, P], principal ones of the pixels of the training images

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)  # shared: what one evaluator draws, the next does not
        self._made = {}

    def note(self, words: str) -> None:
        """Says why something is left out."""
        self.notes[words] = None

    def once(self, make: Callable[["Features"], Any]):
        """What `make` makes of these features, made once for all evaluators that ask."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]


class Section(NamedTuple):
    """Tables that stand under one heading."""

    title: str
    part: str  # of evaluation.json that the numbers are in
    lead: str = ""  # stands before the tables, with facts of the evaluation in braces


ACCURACY = Section(
    "Accuracy", "features", "On validation images, in %; all {train:,} training images are known."
)
RETRIEVAL = Section("Retrieval", "features", "Each validation image among all others, itself left out; in %.")
GEOMETRY = Section("Geometry", "gauges")
DEPENDENCE = Section("Dependence", "dependence", "Estimates, never scores.")


class Column(NamedTuple):
    """A column of a table."""

    name: str  # of the number in evaluation.json
    title: str
    scale: float = 1  # what the number is multiplied by
    digits: int | None = 3  # after the point; None for a count, which has no mean
    table: str = ""  # its title, where a section has several
    deviation: str = ""  # name of the number's standard deviation within a run, if it has one
    ceiling: str = ""  # name of a number beyond which this one says nothing
    instead: str = ""  # name of the words that may stand in its place


def share(name: str, title: str, **more) -> Column:
    """A column of shares of 1, in per cent."""
    return Column(name, title, 100, 1, **more)


class Evaluator(NamedTuple):
    """Something to be measured, of features that offer what it needs.

    That is some of `LABELS`, `CODES` (few values, comparable with each other), `ENCODER`, `COMPONENTS`,
    `TRAINING` and `SVM`. It measures name → number, or fewer where a note says why; what no column shows is
    kept in evaluation.json.
    """

    name: str  # for the progress
    section: Section
    needs: Set[str]
    measure: Callable[[Features], dict[str, Any]]
    columns: tuple[Column, ...]
    about: str = ""  # the protocol, items of Markdown that stand below the table
