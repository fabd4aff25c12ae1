"""An index that is asked by images."""

from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dim.errors import DimError
from dim.export.transformer import as_squares
from dim.files import typed_path
from dim.search import index
from dim.search.engine import Metric
from dim.training.run import Run


class Found(NamedTuple):
    """The nearest images of a query, nearest first."""

    paths: list[str]
    labels: list[str | None]
    distances: np.ndarray  # [k] float32
    ids: list[int | None]  # as in the table of the index; none in older ones


class Index:
    """The images of an index folder, `runs/NAME/index/DATA`, by `make index`, and the search in them.

        dim.Index("runs/first/index/Pictures").search("me.jpg", k=5).paths

    `codes` are the codes and names themselves, a `dim.search.index.Index`. Raises DimError if there is no
    such index, or it is damaged.
    """

    def __init__(self, folder: str | PathLike):
        self.folder = typed_path(str(folder))
        self.codes = index.Index(self.folder)

    def __len__(self) -> int:
        return len(self.codes)

    def search(self, image, k: int = 10, metric: Metric = "cosine", only: str = "") -> Found:
        """The k nearest to an image: a path, a Pillow image, or an array [H, W, 3] or [H, W] uint8.

        Its central square is scaled to what the encoder takes. Only images of a class are found, if one is
        named, or of a folder and all below it, with a slash at its end. Raises DimError if the path is no
        image, k does not fit, there is no such class or folder, or the index is of another encoder than its
        run now has; ValueError for other arrays.
        """
        from dim.encoders.embedding import embed

        among = self.codes.rows_of(only) if only else None
        held = len(self) if among is None else len(among)
        if not 0 < k <= held:
            of = f" of {only}" if only else ""
            raise DimError(f"k {k} does not fit: {self.folder} holds {held:,} images{of}")
        encoder, image_size = self._encoder
        found = self.codes.search(embed(encoder, as_squares([image], image_size)), k, metric, among=among)
        rows = [int(row) for row in found.indices[0] if row >= 0]
        ids, labels = self.codes.ids, self.codes.labels
        return Found(
            [self.codes.path(row) for row in rows],
            [labels[row].as_py() for row in rows],
            found.distances[0, : len(rows)],
            [None if ids is None else ids[row].as_py() for row in rows],
        )

    @cached_property
    def _encoder(self):
        from dim.encoders import MEAN
        from dim.encoders.embedding import fingerprint

        run = Run(Path(self.folder).absolute().parents[1])
        image_size, encoder = run.configuration().image_size, run.load_encoder()
        self.codes.check(fingerprint(encoder), encoder.output[MEAN].shape[-1])
        return encoder, image_size
