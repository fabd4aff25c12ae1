"""Images as uint8 arrays on disk: `load` opens any of the sources by its name or path."""

from pathlib import Path

from dim.data.dataset import Dataset, Split
from dim.errors import DimError

__all__ = ["Dataset", "Split", "load"]

PHOTO_PATCHES = "photo-patches"
TINY_IMAGENET = (Path("data/tiny-imagenet-200"), Path("data/tiny-imagenet-200.zip"))


def default() -> str:
    """Tiny-ImageNet where `make data` puts it, otherwise the embedded photo patches."""
    return str(next((path for path in TINY_IMAGENET if path.exists()), PHOTO_PATCHES))


def load(where: str, image_size: int = 64) -> Dataset:
    """Opens a data set, decoding it at the first time.

    Args:
        where: `photo-patches`, a folder or zip in the layout of Tiny-ImageNet, or any folder of images.
        image_size: side of the square images in pixels.

    Raises:
        DimError: there is nothing there, or nothing that can be used.
    """
    from dim.data.image_folder import load_image_folder
    from dim.data.photo_patches import load_photo_patches
    from dim.data.tiny_imagenet import ANNOTATIONS, load_tiny_imagenet

    if where == PHOTO_PATCHES:
        return load_photo_patches(image_size)
    path = Path(where).expanduser()
    if not path.exists():
        raise DimError(
            f"no data at {path.absolute()}; pass a folder of images, a Tiny-ImageNet zip, or {PHOTO_PATCHES}"
        )
    if path.is_file() or (path / ANNOTATIONS).is_file():
        return load_tiny_imagenet(path, image_size)
    return load_image_folder(path, image_size)
