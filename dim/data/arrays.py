"""A data set of arrays that somebody has in memory."""

import hashlib

import numpy as np

from dim.data.dataset import Dataset, Split
from dim.errors import DimError

_ONE_IN = 10
_FEWEST = 3


def of_arrays(images: np.ndarray, labels: np.ndarray | None = None, name: str = "arrays") -> Dataset:
    """Images [N, S, S, 3] uint8, a tenth of them, at random but always the same ones, held out to validate.

    The labels [N] may be of any kind, numbers or names of classes. Raises DimError if the arrays are of
    another form, or do not belong together.
    """
    images = np.asarray(images)
    N = len(images) if images.ndim else 0
    if images.dtype != "uint8" or images.ndim != 4 or images.shape[1:] != (images.shape[1],) * 2 + (3,):
        raise DimError(f"images must be [N, S, S, 3] uint8, not {list(images.shape)} {images.dtype}")
    if N < _FEWEST:
        raise DimError(f"there are {N} images; at least {_FEWEST} are needed")
    classes, digest = [], hashlib.sha256(np.ascontiguousarray(images))
    if labels is not None:
        if np.shape(labels) != (N,):
            raise DimError(f"labels must be [{N}], one an image, not {list(np.shape(labels))}")
        classes, labels = np.unique(labels, return_inverse=True)
        classes = [str(each) for each in classes]
        digest.update(repr((classes, labels.tolist())).encode())
    whole = Split(images, labels, [f"image {i}" for i in range(N)])
    held_out = np.zeros(N, bool)
    held_out[np.random.default_rng(0).permutation(N)[: max(1, N // _ONE_IN)]] = True
    train, val = whole.rows(np.flatnonzero(~held_out)), whole.rows(np.flatnonzero(held_out))
    return Dataset(name, train, val, classes, digest.hexdigest(), drawn=True)
