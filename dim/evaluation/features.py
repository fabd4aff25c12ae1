"""What is evaluated: an encoder's features at three depths, and what they have to beat."""

from typing import NamedTuple

import keras
import numpy as np

from dim.data import Dataset
from dim.data.batches import InOrder
from dim.encoders import FEATURE_MAP, FEATURES, MEAN
from dim.evaluation import PIXELS, UNTRAINED
from dim.evaluation.evaluator import ACCURACY, LABELS, Column, Evaluator

CONV, HIDDEN, CODE = "conv", "hidden", "code"
DEPTHS = (CONV, HIDDEN, CODE)
_DEPTHS = {CODE: "code", HIDDEN: "hidden layer", CONV: "feature map"}
_ENCODERS = {
    "": "",
    "supervised": "supervised encoder",
    "untrained": UNTRAINED,
    "uncalibrated": "untrained, uncalibrated",
    "random": "random encoder",  # in files of older versions, uncalibrated
}
_WITHOUT = {"PCA": "PCA of pixels", "pixels": PIXELS}
_BLOCK = 1000  # images whose features are in memory twice


class Row(NamedTuple):
    """Which features of which encoder. The run's own has no name; PCA and raw pixels have none."""

    encoder: str
    features: str

    @property
    def name(self) -> str:
        """As it stands in evaluation.json."""
        return f"{self.encoder} {self.features}".strip()

    @property
    def of_the_data(self) -> bool:
        """Whether the features are the same for all runs on the same images."""
        return self.features in _WITHOUT


_ALL = [Row(encoder, depth) for encoder in _ENCODERS for depth in _DEPTHS] + [Row("", x) for x in _WITHOUT]
ROWS = {row.name: row for row in _ALL}  # in the order of tables


def title(name: str) -> str:
    """A row as it stands in tables: `untrained encoder: feature map` for `untrained conv`."""
    if name not in ROWS:
        return name
    encoder, features = ROWS[name]
    return ": ".join(filter(None, (_ENCODERS[encoder], (_DEPTHS | _WITHOUT)[features])))


_COLUMNS = (Column("length", "length", digits=None),)
_ABOUT = """
- untrained encoder: initial weights of the same seed; means and variances of its batch normalisation are
  those of 40 batches of training images, without random views. Uncalibrated: they are 0 and 1.
"""
LENGTH = Evaluator("length", ACCURACY, {LABELS}, lambda x: {"length": x.train.shape[1]}, _COLUMNS, _ABOUT)


class Depths:
    """An encoder's features of a data set at three depths, all extracted when the first are asked for."""

    def __init__(self, encoder: keras.Model, dataset: Dataset):
        self.encoder, self.model, self.dataset = encoder, at_three_depths(encoder), dataset
        self._held = []

    def take(self, depth: str) -> tuple[np.ndarray, np.ndarray]:
        """Of training and of validation images, once; when the code is taken nothing is kept any more."""
        if not self._held:
            splits = self.dataset.train, self.dataset.val
            self._held = [extract(self.model, split.images) for split in splits]
        train, val = (held.pop(depth) for held in self._held)
        if depth == CODE:
            self._held = []
        return train, val

    def code(self, images: np.ndarray) -> np.ndarray:
        """[N, H0, W0, 3] to [N, D]."""
        return extract(self.model, images)[CODE]


def at_three_depths(encoder: keras.Model) -> keras.Model:
    """A model from images [B, H0, W0, 3] uint8 to `conv`, `hidden` and `code`, each [B, F] float32.

    They are the flattened map, the last hidden layer and the code, as in the paper. `conv` is the layer of
    that name, the last map of the paper's two encoders, and the feature map of encoders without one.
    """
    names = {layer.name for layer in encoder.layers}
    outputs = {
        CONV: encoder.get_layer(CONV if CONV in names else FEATURE_MAP).output,
        HIDDEN: encoder.get_layer(FEATURES).output,
        CODE: encoder.output[MEAN],
    }
    flat = {name: keras.layers.Flatten(dtype="float32")(x) for name, x in outputs.items()}
    return keras.Model(encoder.input, flat)


def extract(model: keras.Model, images: np.ndarray, batch_size: int = 125) -> dict[str, np.ndarray]:
    """What a model of `at_three_depths` gives of images [N, H0, W0, 3] uint8: name → [N, F] float32."""
    shapes = model.compute_output_shape((None, *images.shape[1:]))
    features = {name: np.empty((len(images), F), "float32") for name, (_, F) in shapes.items()}
    for start in range(0, len(images), _BLOCK):
        block = slice(start, start + _BLOCK)
        outputs = model.predict(InOrder(images[block], batch_size), verbose=0)
        for name, values in outputs.items():
            features[name][block] = values
    return features
