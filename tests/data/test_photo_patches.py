import re

import numpy as np
import pytest
from PIL import Image
from skimage import data as photographs

from dim.data import photo_patches
from dim.data.cache import cached
from dim.data.photo_patches import Crop, _crop


def load_photo_patches(image_size):
    source = photo_patches.source(image_size)
    return cached(source, image_size)


@pytest.fixture(scope="module")
def patches(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIM_CACHE", str(tmp_path_factory.mktemp("patches")))
        return load_photo_patches(32)


def photograph_and_box(name: str) -> tuple[str, list[int]]:
    photograph, numbers = re.fullmatch(r"(.+) \((.+)\)", name).groups()
    return photograph, [int(number) for number in numbers.split(",")]


def test_there_are_220_training_and_50_validation_crops_of_18_photographs(patches):
    assert patches.name == "photo-patches"
    assert patches.train.images.shape == (3960, 32, 32, 3)
    assert patches.val.images.shape == (900, 32, 32, 3)
    assert len(set(patches.class_names)) == 18
    assert np.bincount(patches.train.labels).tolist() == [220] * 18
    assert np.bincount(patches.val.labels).tolist() == [50] * 18


def test_the_label_is_the_photograph(patches):
    for split in (patches.train, patches.val):
        for label, name in zip(split.labels, split.names, strict=True):
            assert photograph_and_box(name)[0] == patches.class_names[label]


def test_training_and_validation_crops_come_from_different_columns(patches):
    right, left = dict.fromkeys(patches.class_names, 0), dict.fromkeys(patches.class_names, 10_000)
    for name in patches.train.names:
        photograph, (_, _, x, _) = photograph_and_box(name)
        right[photograph] = max(right[photograph], x)
    for name in patches.val.names:
        photograph, (x, _, _, _) = photograph_and_box(name)
        left[photograph] = min(left[photograph], x)
    assert all(right[photograph] <= left[photograph] for photograph in patches.class_names)


def test_scaling_a_crop_sees_nothing_outside_it(monkeypatch):
    pixels = np.zeros((60, 100, 3), "uint8")
    pixels[:, 48:] = pixels[48:] = 255
    monkeypatch.setattr(photo_patches, "_photograph", lambda name: Image.fromarray(pixels))
    assert (_crop(Crop("any", (0, 0, 48, 48)), size=64) == 0).all()


def test_crops_are_squares_of_48_to_128_pixels(patches):
    boxes = np.array([photograph_and_box(name)[1] for name in [*patches.train.names, *patches.val.names]])
    sides = boxes[:, 2:] - boxes[:, :2]
    assert (sides[:, 0] == sides[:, 1]).all()
    assert sides.min() == 48
    assert sides.max() == 128


@pytest.mark.parametrize("name", ["astronaut", "coffee", "brick"])
def test_crops_show_what_the_photograph_shows_there(name):
    pixels = getattr(photographs, name)()
    for box in (0, 0, 64, 64), (100, 40, 228, 168):
        left, top, right, bottom = box
        region = np.atleast_3d(pixels[top:bottom, left:right]).mean((0, 1))
        assert np.abs(_crop(Crop(name, box), 32).mean((0, 1)) - region).max() < 1


def test_mirroring_gamma_and_gains_do_what_they_say():
    box = (10, 20, 74, 84)
    plain = _crop(Crop("cat", box), 64)
    assert (_crop(Crop("cat", box, mirrored=True), 64) == plain[:, ::-1]).all()
    red = _crop(Crop("cat", box, gains=(1.1, 1.0, 0.5)), 64) / np.clip(plain, 1, None)
    np.testing.assert_allclose(np.median(red, axis=(0, 1)), [1.1, 1.0, 0.5], atol=0.01)
    brighter = _crop(Crop("cat", box, gamma=0.8), 64)
    np.testing.assert_allclose(brighter, 255 * (plain / 255) ** 0.8, atol=0.51)


def test_no_two_crops_are_taken_alike_and_looks_do_not_tell_the_photograph():
    crops = photo_patches._crops(np.random.default_rng(0), 100, 0.0, 0.72)
    assert len({crop.gains for crop in crops}) == len(crops) == 1800
    assert 800 < sum(crop.mirrored for crop in crops) < 1000
    looks = np.log([[crop.gamma, *crop.gains] for crop in crops])
    assert np.abs(looks[:, 0]).max() <= np.log(1.42) < np.abs(looks[:, 1:]).max() <= np.log(1.42 * 1.22)
    means = looks.reshape(18, 100, 4).mean(axis=1)
    assert np.abs(means).max() < 0.1 and (looks.std(axis=0) > 0.18).all()


def test_the_crops_are_the_same_every_time(patches):
    again = load_photo_patches(32)
    assert again.train.images.filename != patches.train.images.filename
    assert again.train.names == patches.train.names
    assert np.array_equal(again.train.images, patches.train.images)
    assert np.array_equal(again.val.images, patches.val.images)


def test_a_second_opening_decodes_nothing(patches, monkeypatch):
    folder = patches.train.images.filename
    monkeypatch.setenv("DIM_CACHE", str(folder.parents[1]))
    monkeypatch.setattr(photo_patches, "_recipe", lambda size: pytest.fail("decoded again"))
    assert len(load_photo_patches(32).train) == 3960
