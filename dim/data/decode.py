"""From an image file of any kind to one square RGB array."""

import io
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from os import PathLike

import numpy as np
from PIL import Image, ImageOps

from dim.errors import DimError
from dim.files import typed_path

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"})


def decode_image(file: str | PathLike | io.IOBase, size: int) -> np.ndarray:
    """Reads an image, crops its central square and scales it to `size` pixels.

    EXIF rotation is applied, transparency is laid over white, greyscale becomes RGB, and of an
    animation the first frame is taken. An image that already has the size keeps its pixels.

    Returns:
        [size, size, 3] uint8.

    Raises:
        OSError, SyntaxError, ValueError: from Pillow, when the file is no image or is damaged.
    """
    with Image.open(file) as image:
        # JPEG decodes at 1/2, 1/4 or 1/8 scale for free; both sides stay at least `size`.
        image.draft(None, (size, size))
        return squared(image, size)


def squared(image: Image.Image, size: int) -> np.ndarray:
    """The same of an image that Pillow has opened already."""
    image = to_rgb(ImageOps.exif_transpose(image))
    if image.size != (size, size):
        image = ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC)
    return np.asarray(image)


def read_images(files: Sequence[str | PathLike], size: int) -> np.ndarray:
    """`decode_image` of files that a user names: [N, size, size, 3] uint8.

    Raises:
        DimError: a file is not there, or is no image.
    """
    images = np.empty((len(files), size, size, 3), "uint8")
    for image, file in zip(images, files, strict=True):
        try:
            image[:] = decode_image(typed_path(file), size)
        except DimError:
            raise
        except FileNotFoundError:
            raise DimError(f"no image at {file}") from None
        except Exception as error:  # a damaged file can raise almost anything in a decoder
            reason = " ".join(str(error).split())
            raise DimError(f"{file} cannot be read as an image ({reason})") from error
    return images


def to_rgb(image: Image.Image) -> Image.Image:
    """Any Pillow image as 8-bit RGB: 16-bit grey is scaled, transparency is laid over white."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def decode_member(member: str, archive: str, changed: int, size: int) -> np.ndarray:
    """`decode_image` of one file inside a zip, which was last changed at a certain time."""
    return decode_image(io.BytesIO(_opened(archive, changed).read(member)), size)


@lru_cache(maxsize=1)
def _opened(archive: str, changed: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)
