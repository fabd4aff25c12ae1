"""Single images by name, from every kind of data set."""

import numpy as np
import pytest

from dim import data
from dim.data.picture import file_inside, original, picture


def test_an_image_of_a_folder_is_read_by_its_name(paint):
    paint("pets/cat/a ü.png", (9, 8, 7), (40, 20))
    assert (picture("pets", "cat/a ü.png", 16) == (9, 8, 7)).all()
    assert picture("pets", "cat/a ü.png", 16).shape == (16, 16, 3)


@pytest.mark.parametrize("name", ["tiny_folder", "tiny_zip"])
def test_an_image_of_tiny_imagenet_is_read_from_folder_and_zip(name, request):
    where = str(request.getfixturevalue(name))
    image = picture(where, "train/n02/images/n02_3.JPEG", 64)
    assert np.abs(image[30, 10].astype(int) - (0, 200, 0)).max() < 10
    assert np.abs(image[30, 50].astype(int) - 60).max() < 10


def test_a_photo_patch_is_the_one_of_the_data_set():
    recipe = data.listed("photo-patches", 32).recipe()
    np.testing.assert_array_equal(
        picture("photo-patches", recipe.names[7], 32), recipe.decode(recipe.sources[7])
    )


@pytest.mark.parametrize("where", ["pets", "nowhere"])
def test_what_is_gone_or_broken_is_a_grey_square(where, paint):
    paint("pets/a.png", (1, 1, 1)).write_text("no image")
    for name in "a.png", "b.png":
        image = picture(where, name, 8)
        assert image.shape == (8, 8, 3) and image.dtype == np.uint8
        assert (image == image[0, 0, 0]).all() and 200 < image[0, 0, 0] < 250


@pytest.mark.parametrize("name", ["../secret.png", "{here}/secret.png", "cat/../../secret.png"])
def test_what_lies_outside_of_the_data_is_no_file_of_it_and_not_shown(name, paint, tmp_path):
    paint("secret.png", (1, 1, 1))
    inside = paint("pets/cat/a.png", (1, 1, 1))
    name = name.format(here=tmp_path)
    assert file_inside("pets", "cat/a.png") == inside and file_inside("pets", name) is None
    image = picture("pets", name, 8)
    assert (image == image[0, 0, 0]).all() and image[0, 0, 0] > 200


def test_the_file_of_an_image_is_read_as_it_is_from_folder_and_zip(tiny_folder, tiny_zip, tmp_path, paint):
    name = "train/n02/images/n02_3.JPEG"
    expected = (tiny_folder / name).read_bytes()
    assert original(str(tiny_folder), name) == original(str(tiny_zip), name) == expected
    file = paint("pets/caf\udce9.png", (9, 8, 7))
    assert original("pets", file.name) == file.read_bytes()


def test_what_has_no_file_or_is_outside_of_the_data_has_no_bytes(tiny_folder, paint, tmp_path):
    paint("pets/a.png", (9, 8, 7))
    (tmp_path / "secret.png").write_bytes(b"secret")
    for name in "../secret.png", str(tmp_path / "secret.png"), "none.png":
        assert original("pets", name) is None
    assert original("photo-patches", data.listed("photo-patches", 32).recipe().names[7]) is None
