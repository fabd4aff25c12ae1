"""Images as uint8 arrays on disk: `load` opens any of the sources by its name or path."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from dim.configuration import Configuration
from dim.data.dataset import Dataset, Split
from dim.data.recipe import Source
from dim.errors import DimError
from dim.files import typed_path

__all__ = ["Dataset", "Split", "listed", "load", "load_of", "load_whole"]

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
    from dim.data.tiny_imagenet import load_tiny_imagenet

    dataset = _choose(where, load_photo_patches, load_tiny_imagenet, load_image_folder)(image_size=image_size)
    if len(dataset.train) < 2 or not len(dataset.val):
        readable = f"{len(dataset.train)} training and {len(dataset.val)} validation images that can be read"
        raise DimError(f"{where} has {readable}; at least 2 and 1 are needed")
    where = where if where == PHOTO_PATCHES else str(typed_path(where).resolve())
    return replace(dataset, where=where)


def load_of(configuration: Configuration, where: str = "") -> Dataset:
    """What a run was trained on, or other images in the same size.

    Where the run holds training images out to make choices by, so does this: nobody then sees validation
    images.

    Args:
        configuration: of the run.
        where: as for `load`, if not what the run was trained on.

    Raises:
        DimError: there is nothing there, or nothing that can be used.
    """
    from dim.data.tuning import tuning

    dataset = load(where or configuration.data, configuration.image_size)
    return replace(tuning(dataset), where=dataset.where) if configuration.tune else dataset


def load_whole(where: str, image_size: int = 64) -> Dataset:
    """As `load`, for those who need no splits: every image is in `train`, and of a folder however few.

    Raises:
        DimError: there is nothing there, or nothing that can be used.
    """
    from dim.data.cache import cached

    source = listed(where, image_size)

    def recipe():
        whole = source.recipe()
        return replace(whole, train=len(whole.sources))

    return cached(source.name, ["whole", source.made_from], image_size, recipe)


def listed(where: str, image_size: int = 64) -> Source:
    """What `load` would decode, not decoded; of a folder every image, however few there are.

    Args:
        where, image_size: as for `load`.

    Raises:
        DimError: there is nothing there. The recipe raises, too, where there is nothing to use.
    """
    from dim.data.image_folder import whole_folder
    from dim.data.photo_patches import photo_patches_source
    from dim.data.tiny_imagenet import tiny_imagenet_source

    return _choose(where, photo_patches_source, tiny_imagenet_source, whole_folder)(image_size=image_size)


def _choose(where: str, patches: Callable, tiny: Callable, folder: Callable) -> Callable:
    """The one that is meant by `where`, which it is bound to."""
    from dim.data.tiny_imagenet import ANNOTATIONS

    if where == PHOTO_PATCHES:
        return patches
    path = typed_path(where)
    if not path.exists():
        raise DimError(
            f"no data at {path.absolute()}; pass a folder of images, a Tiny-ImageNet zip, or {PHOTO_PATCHES}"
        )
    if not (path.is_file() or path.is_dir()):
        raise DimError(f"{path.absolute()} is neither a folder nor a file; pass a folder of images or a zip")
    return partial(tiny if path.is_file() or (path / ANNOTATIONS).is_file() else folder, path)
