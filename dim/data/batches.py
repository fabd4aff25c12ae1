"""Feeds images to Keras batch by batch, straight from the memory map."""

import math

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """Batches of uint8 images in a random order, another one every epoch; the remainder is dropped.

    The order depends on the seed and the number of the epoch alone, so a resumed run sees the same
    batches as an uninterrupted one. The remainder is dropped since InfoNCE's chance level depends
    on the batch size.

    Args:
        images: [N, H0, W0, 3] uint8.
        batch_size: B.
        seed: of the order.
    """

    def __init__(self, images: np.ndarray, batch_size: int, seed: int):
        super().__init__()
        self.images, self.batch_size, self.seed = images, batch_size, seed
        self.start(0)

    def start(self, epoch: int) -> None:
        """Puts the images in the order of an epoch. `fit` does not tell a data set which one it is."""
        self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.images))

    def __len__(self) -> int:
        return len(self.images) // self.batch_size

    def __getitem__(self, index: int) -> tuple[np.ndarray]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return (np.asarray(self.images[rows]),)


class InOrder(keras.utils.PyDataset):
    """All images once, in their own order, for `predict`."""

    def __init__(self, images: np.ndarray, batch_size: int):
        super().__init__()
        self.images, self.batch_size = images, batch_size

    def __len__(self) -> int:
        return math.ceil(len(self.images) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray]:
        return (np.asarray(self.images[index * self.batch_size : (index + 1) * self.batch_size]),)
