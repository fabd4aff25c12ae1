"""Images as uint8 arrays on disk: `load` opens any of the sources by its name or path."""

from dataclasses import replace
from pathlib import Path

from dim.configuration import Configuration
from dim.data import store
from dim.data.cache import cached
from dim.data.dataset import Dataset, Source, Split
from dim.errors import DimError
from dim.files import typed_path

__all__ = ["Dataset", "Split", "lasting", "listed", "load", "load_of", "load_whole"]

PHOTO_PATCHES = "photo-patches"
TINY_IMAGENET = (Path("data/tiny-imagenet-200"), Path("data/tiny-imagenet-200.zip"))


def default() -> str:
    """Tiny-ImageNet where `make data` puts it, otherwise the embedded photo patches."""
    return str(next((path for path in TINY_IMAGENET if path.exists()), PHOTO_PATCHES))


def load(where: str, image_size: int = 64) -> Dataset:
    """Opens a data set, with square images of `image_size` pixels, decoding it at the first time.

    It is `photo-patches`, a folder or zip in the layout of Tiny-ImageNet, any folder of images, or the
    address of one, such as s3://bucket/photos. Raises DimError if there is nothing there, or nothing that
    can be used.
    """
    dataset = cached(listed(where, image_size, whole=False), image_size)
    if len(dataset.train) < 2 or not len(dataset.val):
        readable = f"{len(dataset.train)} training and {len(dataset.val)} validation images that can be read"
        raise DimError(f"{where} has {readable}; at least 2 and 1 are needed")
    return replace(dataset, where=lasting(where))


def lasting(where: str) -> str:
    """The same name, path or address, as it is true in any folder."""
    if where == PHOTO_PATCHES or store.is_address(where):
        return where.rstrip("/")
    return str(typed_path(where).resolve())


def load_of(configuration: Configuration, where: str = "") -> Dataset:
    """What a run was trained on, or other images in the same size, as `load` opens them.

    Where the run holds training images out to make choices by, so does this: nobody then sees validation
    images.
    """
    from dim.data.tuning import tuning

    dataset = load(where or configuration.data, configuration.image_size)
    return replace(tuning(dataset), where=dataset.where) if configuration.tune else dataset


def load_whole(where: str, image_size: int = 64) -> Dataset:
    """As `load`, for those who need no splits: every image is in `train`, and of a folder however few."""
    source = listed(where, image_size)

    def recipe():
        whole = source.recipe()
        return replace(whole, train=len(whole.sources))

    return cached(Source(source.name, ["whole", source.made_from], recipe), image_size)


def listed(where: str, image_size: int = 64, whole: bool = True) -> Source:
    """What `load` would decode, not decoded; of a folder every image, however few, unless it is to be split.

    Raises DimError if there is nothing there. The recipe raises, too, where there is nothing to use.
    """
    from dim.data import image_folder, photo_patches, tiny_imagenet

    if where == PHOTO_PATCHES:
        return photo_patches.source(image_size)
    if store.is_address(where):
        return image_folder.source(where.rstrip("/"), image_size, whole)
    path = typed_path(where)
    if not path.exists():
        remedy = f"pass a folder of images, a Tiny-ImageNet zip, or {PHOTO_PATCHES}"
        raise DimError(f"no data at {path.absolute()}; {remedy}")
    if not (path.is_file() or path.is_dir()):
        raise DimError(f"{path.absolute()} is neither a folder nor a file; pass a folder of images or a zip")
    if path.is_file() or (path / tiny_imagenet.ANNOTATIONS).is_file():
        return tiny_imagenet.source(path, image_size)
    return image_folder.source(path, image_size, whole)
