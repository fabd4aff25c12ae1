"""An encoder that goes to other processes."""

import tempfile
from functools import cached_property, partial
from pathlib import Path

import keras
import numpy as np

from dim.backend import import_keras
from dim.encoders.embedding import embed_batch
from dim.errors import DimError


class Shipped:
    """`embed_batch` of an encoder, which is opened at the first call: [B, S, S, 3] uint8 to [B, D] float32.

    Raises DimError where Keras or its backend is another one, since codes would be others too.
    """

    def __init__(self, encoder: keras.Model):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "encoder.keras"
            encoder.save(file)
            self.content = file.read_bytes()
        self.made_by = _keras()

    def __call__(self, images: np.ndarray) -> np.ndarray:
        return self._embed(images)

    def __getstate__(self) -> dict:
        return {"content": self.content, "made_by": self.made_by}

    @cached_property
    def _embed(self):
        import_keras()
        if _keras() != self.made_by:
            raise DimError(f"a node has {_keras()}, not {self.made_by}; install the same there")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "encoder.keras"
            file.write_bytes(self.content)
            return partial(embed_batch, keras.saving.load_model(file, compile=False))


def _keras() -> str:
    return f"Keras {keras.__version__} on {keras.backend.backend()}"
