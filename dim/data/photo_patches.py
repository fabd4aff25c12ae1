"""The embedded default: square crops of the photographs that scikit-image and scikit-learn ship.

Real pixels with toy labels (the label is the photograph), in the shape of Tiny-ImageNet and without a
download. Never a benchmark: see the README for the credits of the photographs.
"""

from functools import lru_cache, partial
from importlib.metadata import version
from importlib.resources import files

import numpy as np
from PIL import Image

from dim.data.cache import Recipe, Source, cached
from dim.data.dataset import Dataset
from dim.data.decode import open_image, to_rgb

PHOTOGRAPHS = {
    "astronaut": "skimage/data/astronaut.png",
    "brick": "skimage/data/brick.png",
    "camera man": "skimage/data/camera.png",
    "cat": "skimage/data/chelsea.png",
    "cell": "skimage/data/cell.png",
    "coffee": "skimage/data/coffee.png",
    "coins": "skimage/data/coins.png",
    "flower": "sklearn/datasets/images/flower.jpg",
    "grass": "skimage/data/grass.png",
    "gravel": "skimage/data/gravel.png",
    "Hubble deep field": "skimage/data/hubble_deep_field.jpg",
    "motorcycle": "skimage/data/motorcycle_left.png",
    "page of text": "skimage/data/page.png",
    "retina": "skimage/data/retina.jpg",
    "rocket": "skimage/data/rocket.jpg",
    "temple": "sklearn/datasets/images/china.jpg",
    "tissue": "skimage/data/ihc.png",
    "moon": "skimage/data/moon.png",
}
_TRAIN_PER_PHOTOGRAPH, _VAL_PER_PHOTOGRAPH = 220, 50
_TRAIN_SHARE = 0.72
_SIDES = (48, 128)


def load_photo_patches(image_size: int = 64) -> Dataset:
    """Training crops from the left 72 % of each photograph, validation crops from the rest.

    The crops have sides of 48 to 128 pixels, fewer where the photograph's part is smaller, and are
    scaled to `image_size`.
    """
    source = photo_patches_source(image_size)
    return cached(source.name, source.made_from, image_size, source.recipe)


def photo_patches_source(image_size: int = 64) -> Source:
    """The same, not opened."""
    made_from = [version("scikit-image"), version("scikit-learn"), list(PHOTOGRAPHS), _SIDES]
    return Source("photo-patches", made_from, partial(_recipe, image_size))


def _recipe(size: int) -> Recipe:
    rng = np.random.default_rng(0)
    train = _crops(rng, _TRAIN_PER_PHOTOGRAPH, 0.0, _TRAIN_SHARE)
    val = _crops(rng, _VAL_PER_PHOTOGRAPH, _TRAIN_SHARE, 1.0)
    class_names = list(PHOTOGRAPHS)
    return Recipe(
        sources=train + val,
        decode=partial(_crop, size=size),
        names=[f"{name} {box}" for name, box in train + val],
        labels=[class_names.index(name) for name, _ in train + val],
        class_names=class_names,
        train=len(train),
    )


def _crops(rng: np.random.Generator, count: int, start: float, stop: float) -> list:
    """`count` (photograph, box) pairs a photograph, boxes between two shares of its width."""
    crops = []
    for name in PHOTOGRAPHS:
        width, height = _photograph(name).size
        left, right = int(start * width), int(stop * width)
        for _ in range(count):
            side = int(rng.integers(_SIDES[0], min(_SIDES[1], right - left, height) + 1))
            x = int(rng.integers(left, right - side + 1))
            y = int(rng.integers(0, height - side + 1))
            crops.append((name, (x, y, x + side, y + side)))
    return crops


def _crop(source: tuple[str, tuple], size: int) -> np.ndarray:
    name, box = source  # cropped first: `resize(box=...)` would also look at the pixels around the box
    return np.asarray(_photograph(name).crop(box).resize((size, size), Image.Resampling.BICUBIC))


@lru_cache(maxsize=len(PHOTOGRAPHS))
def _photograph(name: str) -> Image.Image:
    package, _, path = PHOTOGRAPHS[name].partition("/")
    with (files(package) / path).open("rb") as file, open_image(file) as image:
        return to_rgb(image)
