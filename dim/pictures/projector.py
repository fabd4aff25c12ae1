"""Files of TensorBoard's projector, which shows vectors in space with thumbnails and names.

Written here since Keras' own `embeddings_freq` writes files that TensorBoard cannot read.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from skimage.util import montage

from dim.names import printable
from dim.pictures.grid import PAPER, save_picture, scaled

_THUMBNAIL = 32
_SETTINGS = """embeddings {{
  tensor_name: "codes"
  tensor_path: "projector/codes.tsv"
  metadata_path: "projector/names.tsv"
{sprite}}}
"""
_SPRITE = f"""  sprite {{
    image_path: "projector/thumbnails.png"
    single_image_dim: {_THUMBNAIL}
    single_image_dim: {_THUMBNAIL}
  }}
"""


def write_projector(
    folder: Path, codes: np.ndarray, images: np.ndarray | None, captions: Sequence[str], names: Sequence[str]
) -> None:
    """Writes `projector_config.pbtxt` and a folder `projector/` beside TensorBoard's events.

    Codes are [N, D] float, images [N, S, S, 3] uint8, or None for words in their place; captions and names,
    such as classes and file names or texts, N.
    """
    files = folder / "projector"
    files.mkdir(exist_ok=True)
    np.savetxt(files / "codes.tsv", codes, fmt="%.6g", delimiter="\t")
    rows = (f"{printable(a)}\t{printable(b)}\n" for a, b in zip(captions, names, strict=True))
    kind = "text" if images is None else "image"
    (files / "names.tsv").write_text(f"class\t{kind}\n" + "".join(rows), "utf8")
    if images is not None:
        save_picture(files / "thumbnails.png", thumbnail_sheet(images))
    settings = _SETTINGS.format(sprite="" if images is None else _SPRITE)
    (folder / "projector_config.pbtxt").write_text(settings, "utf8")


def thumbnail_sheet(images: np.ndarray) -> np.ndarray:
    """All images row by row in a square sheet of as many columns as rows, white where none is left."""
    thumbnails = [np.asarray(scaled(image, _THUMBNAIL)) for image in images]
    return montage(thumbnails, fill=PAPER, channel_axis=-1)
