"""Codes as a scikit-learn transformer."""

from collections.abc import Sequence
from functools import lru_cache
from os import PathLike

import numpy as np
from PIL import Image
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from dim.data.decode import read_images, squared
from dim.training.run import Run


class DeepInfoMaxFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Turns images into the codes of a trained run, anywhere that scikit-learn takes a transformer.

        make_pipeline(DeepInfoMaxFeatures("first"), LogisticRegression()).fit(images, labels)

    There is nothing to fit. The encoder is loaded when it is first used and kept in this process; it is
    not part of a pickle, which needs the run where it was. `run` is the name of a folder in runs/, or a path;
    `batch_size` images are encoded at once.
    """

    def __init__(self, run: str | PathLike = "", batch_size: int = 250):
        self.run = run
        self.batch_size = batch_size

    def fit(self, X=None, y=None):
        """Looks whether the run is there, and raises DimError if it is not, or has no checkpoint."""
        _encoder_of(self.run)
        return self

    def transform(self, X) -> np.ndarray:
        """Codes of images: [N, D] float32.

        X is [N, H, W, 3] or [N, H, W] uint8; or N arrays [H, W, 3] or [H, W] uint8 of any sizes, Pillow
        images, or paths of image files. What has not the size of the run's images is cropped to its central
        square and scaled. Raises DimError if there is no such run, or a path is no image, and ValueError if
        an array is not uint8, or has another shape.
        """
        from dim.encoders.embedding import embed

        encoder, image_size = _encoder_of(self.run)
        return embed(encoder, as_squares(X, image_size), self.batch_size)

    @property
    def _n_features_out(self) -> int:
        encoder, _ = _encoder_of(self.run)
        return encoder.output["mean"].shape[-1]

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


def as_squares(images: np.ndarray | Sequence, size: int) -> np.ndarray:
    """Images in any of the forms of `DeepInfoMaxFeatures.transform`: [N, size, size, 3] uint8."""
    if isinstance(images, np.ndarray) and images.shape[1:] == (size, size, 3) and images.dtype == np.uint8:
        return images
    if isinstance(images, str | PathLike):
        raise ValueError(f"images must be several; for one pass [{str(images)!r}]")
    return np.array([_square(image, size) for image in images], "uint8").reshape(-1, size, size, 3)


def _square(image, size: int) -> np.ndarray:
    if isinstance(image, str | PathLike):
        return read_images([image], size)[0]
    if not isinstance(image, Image.Image):
        image = np.asarray(image)
        if image.dtype != np.uint8 or image.shape[2:] not in ((), (3,)) or image.ndim not in (2, 3):
            has = f"{image.shape} {image.dtype}"
            raise ValueError(f"an image must be [H, W, 3] or [H, W] uint8, 0 to 255, not {has}")
        image = Image.fromarray(image)
    return squared(image, size)


def _encoder_of(name: str | PathLike):
    run = Run.chosen(name)
    changed = run.checkpoint.stat().st_mtime_ns if run.checkpoint.exists() else 0
    return _loaded(str(run.path.absolute()), changed)


@lru_cache(maxsize=2)
def _loaded(path: str, changed: int):
    run = Run(path)
    image_size = run.configuration().image_size
    return run.load_encoder(), image_size
