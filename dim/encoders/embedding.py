"""From images to codes."""

import hashlib
from functools import lru_cache

import keras
import numpy as np

from dim.data.batches import InOrder
from dim.encoders import FEATURE_MAP, LOG_VARIANCE, MEAN


def embed(encoder: keras.Model, images: np.ndarray, batch_size: int = 250) -> np.ndarray:
    """The code of each image, the mean of its posterior: [N, D] float32."""
    return posterior(encoder, images, batch_size)[0]


def posterior(encoder: keras.Model, images: np.ndarray, batch_size: int = 250) -> list[np.ndarray]:
    """Mean and, if the encoder has one, log-variance of each image's posterior: [N, D] float32 each.

    Images are [N, H0, W0, 3] uint8, memory-mapped or not.
    """
    outputs = _without_map(encoder).predict(InOrder(images, batch_size), verbose=0)
    return [outputs[name] for name in (MEAN, LOG_VARIANCE) if name in outputs]


def embed_batch(encoder: keras.Model, images: np.ndarray) -> np.ndarray:
    """As `embed`, of a single batch: for those who bring their images batch by batch.

    The same number of images at every call spares the tracing of others.
    """
    return _without_map(encoder).predict_on_batch(images)[MEAN]


def fingerprint(encoder: keras.Model) -> str:
    """Of the weights, in 64 hexadecimal digits: codes of encoders with other ones do not compare."""
    digest = hashlib.sha256()
    for weight in encoder.get_weights():
        digest.update(np.ascontiguousarray(weight, "float32").tobytes())
    return digest.hexdigest()


@lru_cache(maxsize=4)
def _without_map(encoder: keras.Model) -> keras.Model:
    """Kept, since every new model is traced anew."""
    return keras.Model(encoder.input, {k: v for k, v in encoder.output.items() if k != FEATURE_MAP})
