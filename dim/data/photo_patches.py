"""The embedded default: square crops of the photographs that scikit-image and scikit-learn ship.

Real pixels with toy labels (the label is the photograph), in the shape of Tiny-ImageNet and without a
download. Every crop is taken as by another camera in another light. Were they all as in the photograph, its
colours alone would tell it, and an encoder that has learned nothing would find 70 % of the labels. Never a
benchmark: see the README for the credits of the photographs.
"""

import math
from functools import lru_cache, partial
from importlib.metadata import version
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from PIL import Image

from dim.data.dataset import Recipe, Source
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
_EXPOSURE, _CONTRAST, _BALANCE = 1.42, 1.42, 1.22  # the greatest factors, or one over them


class Crop(NamedTuple):
    """A square of a photograph, and how it was taken."""

    photograph: str  # a name in `PHOTOGRAPHS`
    box: tuple[int, int, int, int]  # left, top, right and bottom in pixels
    mirrored: bool = False  # left for right
    gamma: float = 1.0  # exponent of the pixels in [0, 1], which changes the contrast
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)  # factors of red, green and blue after it


def source(image_size: int = 64) -> Source:
    """Training crops from the left 72 % of each photograph, validation crops from the rest.

    The crops have sides of 48 to 128 pixels, fewer where the photograph's part is smaller, and are
    scaled to `image_size`. Half of them are mirrored; exposure, contrast and white balance differ from
    crop to crop by up to a half, a half and a quarter.
    """
    made_from = [version("scikit-image"), version("scikit-learn"), list(PHOTOGRAPHS)]
    made_from += [_SIDES, _EXPOSURE, _CONTRAST, _BALANCE]
    return Source("photo-patches", made_from, partial(_recipe, image_size))


def _recipe(size: int) -> Recipe:
    rng = np.random.default_rng(0)
    train = _crops(rng, _TRAIN_PER_PHOTOGRAPH, 0.0, _TRAIN_SHARE)
    val = _crops(rng, _VAL_PER_PHOTOGRAPH, _TRAIN_SHARE, 1.0)
    crops, class_names = train + val, list(PHOTOGRAPHS)
    names = [f"{crop.photograph} {crop.box}" for crop in crops]
    labels = [class_names.index(crop.photograph) for crop in crops]
    return Recipe(crops, partial(_crop, size=size), names, labels, class_names, len(train))


def _crops(rng: np.random.Generator, count: int, start: float, stop: float) -> list[Crop]:
    """So many of each photograph, from between two shares of its width."""
    crops = []
    for name in PHOTOGRAPHS:
        width, height = _photograph(name).size
        left, right = int(start * width), int(stop * width)
        for _ in range(count):
            side = int(rng.integers(_SIDES[0], min(_SIDES[1], right - left, height) + 1))
            x = int(rng.integers(left, right - side + 1))
            y = int(rng.integers(0, height - side + 1))
            exposure, gamma = _factor(rng, _EXPOSURE), _factor(rng, _CONTRAST)
            gains = tuple(exposure * _factor(rng, _BALANCE) for _ in range(3))
            crops.append(Crop(name, (x, y, x + side, y + side), bool(rng.integers(2)), gamma, gains))
    return crops


def _factor(rng: np.random.Generator, greatest: float) -> float:
    return math.exp(rng.uniform(-1, 1) * math.log(greatest))


def _crop(crop: Crop, size: int) -> np.ndarray:
    # Cropped first: `resize(box=...)` would also look at the pixels around the box.
    square = _photograph(crop.photograph).crop(crop.box).resize((size, size), Image.Resampling.BICUBIC)
    pixels = np.asarray(square.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if crop.mirrored else square)
    lit = 255 * (pixels / 255) ** crop.gamma * crop.gains
    return np.clip(lit, 0, 255).round().astype("uint8")


@lru_cache(maxsize=len(PHOTOGRAPHS))
def _photograph(name: str) -> Image.Image:
    package, _, path = PHOTOGRAPHS[name].partition("/")
    with (files(package) / path).open("rb") as file, open_image(file) as image:
        return to_rgb(image)
