"""From an image file of any kind to one square RGB array."""

import io
import stat
import warnings
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dim.errors import DimError
from dim.files import typed_path

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"})
MOST_BYTES = 2**27  # of one image file
MOST_PIXELS = 2**26  # of one as it is decoded, in 1.5 GB of memory at the most; a JPEG is scaled down before
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP")  # others call programs: Pillow has Ghostscript draw an EPS

# Pillow warns of many pixels that are not yet too many for it; here they have a limit of their own.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def decode_image(file: str | PathLike | io.IOBase, size: int) -> np.ndarray:
    """Reads an image, crops its central square and scales it to `size` pixels: [size, size, 3] uint8.

    EXIF rotation is applied, transparency is laid over white, greyscale becomes RGB, and of an animation the
    first frame is taken. An image that already has the size keeps its pixels. Raises OSError, SyntaxError or
    ValueError if the file is no image, is damaged or is too large.
    """
    with open_image(file) as image:
        # JPEG decodes at 1/2, 1/4 or 1/8 scale for free; both sides stay at least `size`.
        image.draft(None, (size, size))
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise ValueError(f"{width:,}×{height:,} pixels are more than {MOST_PIXELS:,}")
        return squared(image, size)


def open_image(file: str | PathLike | io.IOBase) -> Image.Image:
    """The one place where Pillow opens anything: a regular file, of the kinds that are images here.

    Raises OSError if it is neither; what is no regular file, such as a pipe, might never end.
    """
    if isinstance(file, str | PathLike):
        _check_file(file)
    try:
        return Image.open(file, formats=_FORMATS)
    except UnidentifiedImageError:  # whose message names the object that was read from
        raise UnidentifiedImageError(f"cannot identify this as {', '.join(_FORMATS)}") from None


def _check_file(file: str | PathLike) -> None:
    status = Path(file).stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("this is no regular file")
    if status.st_size > MOST_BYTES:
        raise OSError(too_large(status.st_size))


def squared(image: Image.Image, size: int) -> np.ndarray:
    """The same of an image that Pillow has opened already."""
    image = to_rgb(ImageOps.exif_transpose(image))
    if image.size != (size, size):
        image = ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC)
    return np.asarray(image)


def read_images(files: Sequence[str | PathLike], size: int) -> np.ndarray:
    """`decode_image` of files that a user names: [N, size, size, 3] uint8; DimError if one is no image."""
    images = np.empty((len(files), size, size, 3), "uint8")
    for image, file in zip(images, files, strict=True):
        path = typed_path(file)
        try:
            image[:] = decode_image(path, size)
        except FileNotFoundError:
            raise DimError(f"no image at {file}") from None
        except MemoryError:
            remedy = "end other programs, or take a smaller one"
            raise DimError(f"no memory is left to read {file}; {remedy}") from None
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


def file_bytes(file: str | PathLike) -> bytes:
    """What an image file holds. Raises OSError if it is no regular file, or too large."""
    _check_file(file)
    return Path(file).read_bytes()


def decode_member(member: str, archive: str, changed: int, size: int) -> np.ndarray:
    """`decode_image` of one file inside a zip, which was last changed at a certain time."""
    return decode_image(io.BytesIO(member_bytes(member, archive, changed)), size)


def member_bytes(member: str, archive: str, changed: int) -> bytes:
    """The same of `file_bytes`; what else it raises, see `read_member`."""
    return read_member(_opened(archive, changed), member, MOST_BYTES)


def read_member(archive: zipfile.ZipFile, member: str, most: int) -> bytes:
    """A file inside a zip, and never more bytes of it than the zip says, nor than `most`.

    Raises OSError if there are more, they are encrypted, or packed in a way that keeps no bounds; and what
    `zipfile` raises where the member is damaged.
    """
    about = archive.getinfo(member)
    if about.file_size > most:
        raise OSError(too_large(about.file_size))
    if about.flag_bits & 1:
        raise OSError("it is encrypted")
    if about.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise OSError("it is packed by a method other than deflate")
    with archive.open(about) as file:
        return file.read(about.file_size)


@lru_cache(maxsize=1)
def _opened(archive: str, changed: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)


def too_large(size: int) -> str:
    """Why a file is refused."""
    return f"{size:,} bytes are more than a file here may have"
