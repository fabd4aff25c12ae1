"""Feeds images to Keras batch by batch, straight from the memory map.

All of them ask for two worker threads. With one, Keras leaves the reading to tf.data, whose autotuner lets
the end of an iterator wait for up to 20 seconds on an idle machine. Two batches wait in a queue: what is left
in it stays in memory, see `let_go`.
"""

from collections.abc import Callable
from functools import lru_cache

import keras
import numpy as np


def let_go(dataset: keras.utils.PyDataset) -> None:
    """Takes the arrays out of a dataset that has been used up.

    TensorFlow keeps every generator that it has read from as long as the process lives, and the dataset
    with it. That does not matter for memory maps; whoever trains on one array after the other needs this.
    """
    for name, value in vars(dataset).items():
        if isinstance(value, np.ndarray) or name == "make":
            setattr(dataset, name, None)


class Made(keras.utils.PyDataset):
    """Batches that a function makes of their number, from 0 on, without end or so many."""

    def __init__(self, make: Callable[[int], tuple], count: int | None = None):
        super().__init__(workers=2, max_queue_size=2)
        self.make, self.count = make, count

    @property
    def num_batches(self) -> int | None:
        return self.count

    def __getitem__(self, index: int) -> tuple:
        return self.make(index)


class Batches(Made):
    """An endless sequence of batches of uint8 images, each epoch in another random order.

    Batch i depends on the seed and i alone, so a resumed run sees the batches of an uninterrupted one.
    What is left of an epoch after its last whole batch is dropped: InfoNCE's chance level depends on
    the batch size. Being endless it needs to know of no epoch; give `fit` the `steps_per_epoch`, and
    `shuffle=False`, or Keras warns that it cannot shuffle something endless.

    Images are [N, H0, W0, 3] uint8, in batches of B = `batch_size`, of which `first` is the number of the one
    to begin with. With labels [N] int batches are pairs. Of each batch the rows `part` are read, no others.
    """

    def __init__(
        self,
        images: np.ndarray,
        batch_size: int,
        seed: int,
        first: int = 0,
        labels: np.ndarray | None = None,
        part: slice = slice(None),
    ):
        super().__init__(self._batch)
        self.images, self.batch_size, self.seed, self.first = images, batch_size, seed, first
        self.labels, self.steps_per_epoch, self.part = labels, len(images) // batch_size, part
        self._order = lru_cache(maxsize=1)(self._order_of)

    def _order_of(self, epoch: int) -> np.ndarray:
        """[steps, B] rows of the images."""
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.images))
        return order[: self.steps_per_epoch * self.batch_size].reshape(-1, self.batch_size)

    def _batch(self, index: int) -> tuple[np.ndarray, ...]:
        epoch, step = divmod(self.first + index, self.steps_per_epoch)
        rows = self._order(epoch)[step, self.part]
        images = np.asarray(self.images[rows])
        return (images,) if self.labels is None else (images, self.labels[rows])


class InOrder(Made):
    """All images once, in their own order, for `predict`."""

    def __init__(self, images: np.ndarray, batch_size: int):
        starts = range(0, len(images), batch_size)
        super().__init__(lambda i: (np.asarray(images[starts[i] : starts[i] + batch_size]),), len(starts))
