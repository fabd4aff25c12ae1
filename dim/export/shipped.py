"""An encoder that goes to other processes."""

import tempfile
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from dim.backend import import_keras
from dim.errors import DimError
from dim.export.onnx_codes import to_codes


class Shipped:
    """`to_codes` of an encoder, which is opened at the first call: [B, S, S, 3] uint8 to [B, D] float32.

    Raises DimError where Keras or its backend is another one, since codes would be others too.
    """

    def __init__(self, encoder: keras.Model, image_size: int):
        self.image_size = image_size
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "encoder.keras"
            encoder.save(file)
            self.content = file.read_bytes()
        self.made_by = _keras()

    def __call__(self, images: np.ndarray) -> np.ndarray:
        return self._embed(images)

    def __getstate__(self) -> dict:
        return {name: vars(self)[name] for name in ("content", "made_by", "image_size")}

    @cached_property
    def _embed(self):
        import_keras()
        if _keras() != self.made_by:
            raise DimError(f"a node has {_keras()}, not {self.made_by}; install the same there")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "encoder.keras"
            file.write_bytes(self.content)
            return to_codes(keras.saving.load_model(file, compile=False), self.image_size)


def _keras() -> str:
    return f"Keras {keras.__version__} on {keras.backend.backend()}"
