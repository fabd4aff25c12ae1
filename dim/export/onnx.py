"""The encoder as ONNX, for programs without Keras."""

import warnings
from pathlib import Path

import numpy as np

from dim.errors import DimError
from dim.export.runtime import session

_TOLERANCE = 1e-4


def write_onnx(file: Path, encoder, image_size: int) -> float:
    """Writes an encoder as ONNX, images [B, S, S, 3] uint8 in, code [B, D] float32 out, and tries it.

    It computes in float32 whatever the encoder computes in. Returns the difference of `check_onnx`. Raises
    DimError if Keras cannot export on this backend, or ONNX computes something else.
    """
    import keras

    from dim.encoders import MEAN, in_float32

    if (backend := keras.backend.backend()) != "tensorflow":
        raise DimError(f"ONNX is exported by TensorFlow, not by {backend}; set KERAS_BACKEND=tensorflow")
    images = keras.Input((image_size, image_size, 3), dtype="uint8", name="images")
    model = keras.Model(images, in_float32(encoder)(images)[MEAN])
    model(np.zeros((1, *model.input_shape[1:]), "uint8"))  # Keras exports only what was called once
    with warnings.catch_warnings():  # tf2onnx asks NumPy whether it still has its old names
        warnings.filterwarnings("ignore", "In the future `np", FutureWarning)
        model.export(str(file), format="onnx", verbose=False)
    return check_onnx(file, model)


def check_onnx(file: Path, model) -> float:
    """The largest difference of codes by onnxruntime and by Keras, relative to the largest value of a code.

    Raises DimError if for three random images it is above 1e-4.
    """
    opened = session(file)
    images = np.random.default_rng(0).integers(0, 256, (3, *model.input_shape[1:]), "uint8")
    expected = model.predict_on_batch(images)
    (found,) = opened.run(None, {opened.get_inputs()[0].name: images})
    difference = float(np.abs(found - expected).max() / max(np.finfo("float32").tiny, np.abs(expected).max()))
    if not difference <= _TOLERANCE:
        wrong = f"computes other codes than the encoder (difference {difference:.2g})"
        raise DimError(f"{file} {wrong}; do not use it")
    return difference
