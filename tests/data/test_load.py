import os
from pathlib import Path

import numpy as np
import pytest

from dim import data
from dim.data import photo_patches


def test_a_folder_and_a_zip_in_the_layout_of_tiny_imagenet_are_recognised(tiny_folder, tiny_zip):
    for where in (tiny_folder, tiny_zip):
        opened = data.load(str(where))
        assert opened.class_names == ["kingfisher", "tree frog", "lapis lazuli"]
        assert (len(opened.train), len(opened.val)) == (30, 6)


def test_the_folder_of_tiny_imagenet_without_its_annotations_is_refused(tiny_folder, refused):
    data.load(str(tiny_folder))
    (tiny_folder / "val/val_annotations.txt").unlink()
    with refused(tiny_folder, "val/images/", "train/"):
        data.load(str(tiny_folder))


def test_any_other_folder_is_a_folder_of_images(paint):
    for i in range(20):
        paint(f"holiday/{['beach', 'town'][i % 2]}/{i}.png", (i, i, i))
    opened = data.load("holiday", 16)
    assert opened.class_names == ["beach", "town"]
    assert opened.image_size == 16


def test_a_folder_is_opened_as_a_whole_beside_its_splits(paint):
    for i in range(25):
        paint(f"holiday/{'beach' if i else 'alone'}/{i:02}.png", (10 * i, i, i))
    whole, split = data.load_whole("holiday", 16), data.load("holiday", 16)
    assert (len(whole.train), len(whole.val)) == (25, 0) and 0 < len(split.val) < 6
    assert whole.train.labels.tolist() == [0] + [1] * 24 and whole.class_names == ["alone", "beach"]
    assert whole.train.images[:, 0, 0, 0].tolist() == [10 * i for i in range(25)]
    for i in range(24):
        Path(f"holiday/beach/{i + 1:02}.png").unlink()
    assert len(data.load_whole("holiday", 16).train) == 1


def test_tiny_imagenet_is_opened_as_a_whole_too(tiny_folder):
    whole = data.load_whole(str(tiny_folder))
    assert (len(whole.train), len(whole.val)) == (36, 0) and whole.labelled


def test_the_photo_patches_are_called_by_name(monkeypatch):
    monkeypatch.setattr(photo_patches, "source", lambda image_size: f"of {image_size}")
    assert data.listed("photo-patches", 32) == "of 32"


@pytest.mark.parametrize("where", ["nowhere", "/nowhere/at all", "photo-patch"])
def test_where_nothing_is_nothing_opens(where, refused):
    with refused(Path(where).absolute(), "photo-patches", "Tiny-ImageNet"):
        data.load(where)


def test_an_empty_folder_is_refused(refused):
    Path("empty").mkdir()
    with refused(Path("empty").resolve(), "0 images", "at least 20"):
        data.load("empty")


def test_an_image_is_no_data_set(paint, refused):
    file = paint("a.png", (1, 2, 3))
    with refused(file.resolve(), "a single image", "pass the folder"):
        data.load(str(file))


def test_what_is_neither_file_nor_folder_is_no_data_set(refused):
    os.mkfifo("pipe")
    for where in "pipe", "/dev/zero":
        with refused(where, "neither a folder nor a file"):
            data.load(where)
    with refused("~nobody-of-this-name/images", "nobody's home folder"):
        data.load("~nobody-of-this-name/images")


def test_one_training_image_or_no_validation_image_is_refused(paint, refused):
    for i in range(20):
        paint(f"one/{'val' if i else 'train'}/{i}.png", (i, i, i))
        paint(f"none/train/{i}.png", (i, i, i))
    with refused("1 training and 19 validation images", "at least 2 and 1"):
        data.load("one", 8)
    for i in range(100):
        paint(f"none/train/{i}.png", (i, i, i))
    paint("none/val/only.png", (1, 1, 1)).write_text("no image")
    with refused("100 training and 0 validation images"):
        data.load("none", 8)
    assert len(data.load_whole("none", 8).train) == 100


def test_the_default_is_tiny_imagenet_where_it_lies_otherwise_photo_patches():
    assert data.default() == "photo-patches"
    Path("data").mkdir()
    Path("data/tiny-imagenet-200.zip").touch()
    assert data.default() == "data/tiny-imagenet-200.zip"
    Path("data/tiny-imagenet-200").mkdir()
    assert data.default() == "data/tiny-imagenet-200"


def test_a_data_set_says_what_it_is(tiny_folder):
    opened = data.load(str(tiny_folder), 32)
    assert str(opened) == "tiny: 30 train + 6 val, 3 classes, 32×32"
    assert opened.labelled
    unlabelled = data.Split(np.zeros((1200, 8, 8, 3), "uint8"), None, ["a.png"] * 1200)
    assert str(data.Dataset("mine", unlabelled, unlabelled, [])) == (
        "mine: 1,200 train + 1,200 val, no labels, 8×8"
    )


def test_a_caption_is_the_class_or_else_the_name(tiny_folder):
    opened = data.load(str(tiny_folder))
    assert opened.caption(opened.val, 1) == "kingfisher"
    split = data.Split(np.zeros((2, 8, 8, 3), "uint8"), None, ["a.png", "b.png"])
    assert data.Dataset("mine", split, split, []).caption(split, 1) == "b.png"
