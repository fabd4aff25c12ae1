"""Choices are made on images that are held out of training; those that are reported stay unseen."""

from hashlib import sha256

import numpy as np

from dim.data.cache import cached
from dim.data.dataset import Dataset, Recipe, Source
from dim.errors import DimError

ONE_IN = 10


def tuning(dataset: Dataset) -> Dataset:
    """The same with a tenth of the training images in place of the validation images, which are gone.

    An image is held out if a hash of its name says so, whatever else there is; but no class is held out to
    the last. Copied once into the cache, and memory-mapped from there like any other. Raises DimError if
    there are too few training images, or the cache cannot be written.
    """
    held = held_out(dataset)
    rows = np.concatenate([np.flatnonzero(~held), np.flatnonzero(held)])
    if not held.any() or np.sum(~held) < 2:
        few = f"{len(dataset.train)} training images, too few"
        raise DimError(f"{dataset.name} has {few} to hold out a tenth for --tune")
    train, file = dataset.train, str(dataset.train.images.filename)
    names, decode = [train.names[i] for i in rows], train.images.__getitem__
    labels = None if train.labels is None else train.labels[rows].tolist()
    recipe = Recipe(rows.tolist(), decode, names, labels, dataset.class_names, int((~held).sum()))
    return cached(Source(f"{dataset.name}-tune", ["tune", ONE_IN, file], lambda: recipe), dataset.image_size)


def held_out(dataset: Dataset) -> np.ndarray:
    """[N] bool, whether each training image is held out."""
    train = dataset.train
    hashes = (sha256(name.encode("utf8", "surrogateescape")).digest() for name in train.names)
    held = np.array([int.from_bytes(digest[:8]) % ONE_IN == 0 for digest in hashes])
    if train.labels is not None:
        held &= np.isin(train.labels, train.labels[~held])
    return held
