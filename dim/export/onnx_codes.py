"""Codes of many images, by ONNX Runtime where that is the fastest."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np

from dim.device import gpu
from dim.encoders.embedding import embed_batch
from dim.export.onnx import write_onnx
from dim.export.runtime import session


def to_codes(encoder: keras.Model, image_size: int) -> Callable[[np.ndarray], np.ndarray]:
    """What makes codes [B, D] float32 of images [B, S, S, 3] uint8, as `embed_batch` does.

    An encoder that TensorFlow computes in float32 on processors goes to ONNX Runtime. That takes two seconds,
    and half of the time from then on; the codes are the same to 1e-5 of the largest value.
    """
    in_float32 = all(layer.compute_dtype == "float32" for layer in encoder.layers if layer.weights)
    if not in_float32 or keras.backend.backend() != "tensorflow" or gpu():
        return partial(embed_batch, encoder)
    with TemporaryDirectory() as folder:
        file = Path(folder, "encoder.onnx")
        write_onnx(file, encoder, image_size)
        opened = session(file)
    (images,) = (each.name for each in opened.get_inputs())
    return lambda batch: opened.run(None, {images: np.asarray(batch)})[0]
