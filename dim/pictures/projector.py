"""Files of TensorBoard's projector, which shows vectors in space with thumbnails and names.

Written here since Keras' own `embeddings_freq` writes files that TensorBoard cannot read.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dim.names import printable
from dim.pictures.grid import save_picture, scaled

_THUMBNAIL = 32
_SETTINGS = """embeddings {{
  tensor_name: "codes"
  tensor_path: "projector/codes.tsv"
  metadata_path: "projector/names.tsv"
  sprite {{
    image_path: "projector/thumbnails.png"
    single_image_dim: {side}
    single_image_dim: {side}
  }}
}}
"""


def write_projector(
    folder: Path, codes: np.ndarray, images: np.ndarray, captions: Sequence[str], names: Sequence[str]
) -> None:
    """Writes `projector_config.pbtxt` and a folder `projector/` beside TensorBoard's events.

    Args:
        folder: of the events.
        codes: [N, D] float.
        images: [N, S, S, 3] uint8.
        captions, names: N strings each, such as classes and file names.
    """
    files = folder / "projector"
    files.mkdir(exist_ok=True)
    np.savetxt(files / "codes.tsv", codes, fmt="%.6g", delimiter="\t")
    rows = (f"{printable(a)}\t{printable(b)}\n" for a, b in zip(captions, names, strict=True))
    (files / "names.tsv").write_text("class\timage\n" + "".join(rows), "utf8")
    save_picture(files / "thumbnails.png", thumbnail_sheet(images))
    (folder / "projector_config.pbtxt").write_text(_SETTINGS.format(side=_THUMBNAIL), "utf8")


def thumbnail_sheet(images: np.ndarray) -> np.ndarray:
    """All images row by row in a square sheet of as many columns as rows, white where none is left."""
    columns = math.ceil(math.sqrt(len(images)))
    sheet = np.full((columns * _THUMBNAIL, columns * _THUMBNAIL, 3), 255, "uint8")
    for i, image in enumerate(images):
        y, x = (_THUMBNAIL * place for place in divmod(i, columns))
        sheet[y : y + _THUMBNAIL, x : x + _THUMBNAIL] = scaled(image, _THUMBNAIL)
    return sheet
