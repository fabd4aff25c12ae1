"""Batches of P classes with K images each, for those who learn from pairs of a class."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from dim.data.batches import Batches
from dim.errors import DimError


class ClassBatches(Batches):
    """Batches of P·K uint8 images and their labels, class by class, endless like the others.

    Every class comes equally often, whatever its size: the classes are dealt out in random order, P to
    a batch, and each gives its next K images in a random order of its own. Both start over, in another
    order, when they are through; fewer than P classes or K images that are left then are passed over.
    A class with fewer than K images gives them several times over. An epoch has as many batches as the
    images would fill.

    Images are [N, H0, W0, 3] uint8, labels [N] int; P is `classes` and K `per_class`. Raises DimError if
    there is one class only, there are fewer than P, or none has two images.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        classes: int,
        per_class: int,
        seed: int,
        first: int = 0,
        part: slice = slice(None),
    ):
        super().__init__(images, classes * per_class, seed, first, np.asarray(labels), part)
        self.classes, self.per_class = classes, per_class
        self.steps_per_epoch = max(1, self.steps_per_epoch)
        names = np.unique(self.labels)
        if len(names) < 2:
            lack = f"all {len(images)} images are of one class, and pairs of different classes are needed"
            raise DimError(f"{lack}; put each class into a sub-folder of its own")
        if len(names) < classes:
            raise DimError(f"a batch of {classes} classes was asked for, there are {len(names)}")
        self._members = [np.flatnonzero(self.labels == name) for name in names]
        if max(map(len, self._members)) < 2:
            raise DimError("no class has two images, so there are no pairs of a class; add images to each")

    def _order_of(self, epoch: int) -> np.ndarray:
        """[steps, P·K] rows of the images."""
        rng = np.random.default_rng([self.seed, epoch])
        of_images = [_dealt(members, self.per_class, rng) for members in self._members]
        batches = islice(_dealt(np.arange(len(self._members)), self.classes, rng), self.steps_per_epoch)
        return np.array([np.concatenate([next(of_images[c]) for c in classes]) for classes in batches])


def _dealt(cards: np.ndarray, count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """So many cards at a time in random order, shuffled again when fewer are left."""
    while True:
        hands = max(1, len(cards) // count)
        yield from np.resize(rng.permutation(cards), (hands, count))
