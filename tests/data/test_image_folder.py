import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from dim import data
from dim.data import image_folder
from dim.data.cache import cache_folder, cached
from dim.data.image_folder import Place, _recipe, list_images

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def load_image_folder(where, image_size=64):
    source = image_folder.source(where, image_size)
    return cached(source, image_size)


@pytest.fixture
def pets(paint) -> Path:
    """Thirty images: red cats, and green and blue dogs in sub-folders of their own."""
    for i in range(10):
        paint(f"pets/cat/{i}.png", RED)
        paint(f"pets/dog/big/{i}.png", GREEN)
        paint(f"pets/dog/small/old/{i}.png", BLUE)
    return Path("pets")


def fail(*_, **__):
    pytest.fail("decoded again")


def all_names(dataset) -> list[str]:
    return sorted([*dataset.train.names, *dataset.val.names])


def test_images_are_labelled_by_their_first_sub_folder(pets):
    opened = load_image_folder(pets, 8)
    assert opened.name == "pets"
    assert opened.class_names == ["cat", "dog"]
    for split in (opened.train, opened.val):
        for image, label, name in zip(split.images, split.labels, split.names, strict=True):
            assert name.split("/")[0] == opened.class_names[label]
            colour = {"cat": RED, "dog/big": GREEN, "dog/small/old": BLUE}[name.rpartition("/")[0]]
            assert (image == colour).all()


def test_each_image_is_there_once_and_some_are_held_out(pets):
    opened = load_image_folder(pets, 8)
    assert 0 < len(opened.val) < 8 and opened.drawn
    assert all_names(opened) == sorted(str(file.relative_to(pets)) for file in pets.rglob("*.png"))


def split(*names) -> tuple[set, set]:
    recipe = _recipe(Place("images", "", None, None), list(names))
    return set(recipe.names[: recipe.train]), set(recipe.names[recipe.train :])


def test_about_one_image_in_ten_is_held_out_of_each_class_whatever_it_is_called():
    names = [f"{folder}/IMG_{i:04}.jpg" for folder in ("a", "b", "c") for i in range(2000)]
    _, val = split(*names)
    for folder in "abc":
        assert 150 < sum(name.startswith(folder) for name in val) < 250


def test_images_that_come_go_or_are_renamed_move_no_other(paint):
    names = [f"{folder}/{i}.jpg" for folder in "ab" for i in range(200)]
    train, val = split(*names)
    for others in names[1:], names[3:-3], ["a/new.jpg", "c/x.jpg", *names], ["a/renamed.jpg", *names[1:]]:
        train_now, val_now = split(*others)
        assert not train & val_now and not val & train_now


def test_of_every_class_an_image_stays_in_train_whatever_its_name():
    for i in range(200):  # of single images one in ten would be held out
        names = [f"many/{j}.jpg" for j in range(40)] + [f"one{i}/x.jpg", f"two{i}/x.jpg", f"two{i}/y.jpg"]
        train, val = split(*names)
        assert {name.split("/")[0] for name in val} <= {name.split("/")[0] for name in train}
        assert f"one{i}/x.jpg" in train


def test_an_image_is_held_out_of_twenty_whatever_their_names():
    for i in range(100):
        train, val = split(*[f"{i}-{j}.jpg" for j in range(20)])
        assert val and len(train) > 10


def test_where_each_class_has_one_image_none_can_be_held_out(paint, refused):
    for i in range(20):
        paint(f"faces/{i}/a.png", RED)
    with refused("faces", "20 training and 0 validation images"):
        data.load("faces", 8)


def test_the_split_is_the_same_elsewhere(pets):
    opened = load_image_folder(pets, 8)
    shutil.copytree(pets, "copy")
    copied = load_image_folder("copy", 8)
    assert copied.val.names == opened.val.names
    assert copied.train.names == opened.train.names


def test_what_programs_drew_into_runs_here_is_no_data(pets, paint):
    paint("runs/first/neighbours.png", RED)
    assert not [name for name, *_ in list_images(Path()) if name.startswith("runs/")]
    assert [name for name, *_ in list_images(Path("runs"))] == ["first/neighbours.png"]
    paint("elsewhere/runs/1.png", RED)
    assert [name for name, *_ in list_images(Path("elsewhere"))] == ["runs/1.png"]


@pytest.mark.parametrize("folders", [[""], ["only"], ["", "a", "b"]], ids=["flat", "one", "mixed"])
def test_without_a_sub_folder_for_each_image_none_is_labelled(folders, paint):
    for folder in folders:
        for i in range(20):
            paint(Path("images", folder, f"{i}.png"), RED)
    opened = load_image_folder("images", 8)
    assert not opened.labelled
    assert opened.val.labels is None
    assert opened.class_names == []
    assert len(opened.train) + len(opened.val) == 20 * len(folders)


def test_folders_called_train_and_val_are_the_splits(paint):
    for i in range(10):
        paint(f"images/train/b/{i}.png", BLUE)
        paint(f"images/train/a/{i}.png", RED)
    paint("images/val/b/nested/x.png", BLUE)
    opened = load_image_folder("images", 8)
    assert opened.class_names == ["a", "b"]
    assert opened.train.labels.tolist() == [0] * 10 + [1] * 10
    assert (opened.train.images[:10] == RED).all()
    assert opened.val.labels.tolist() == [1]
    assert opened.val.names == ["val/b/nested/x.png"]
    assert (opened.val.images == BLUE).all()


def test_what_lies_beside_train_and_val_is_left_out(paint):
    for i in range(20):
        paint(f"images/train/{i}.png", RED)
    paint("images/val/x.png", RED)
    paint("images/test/y.png", RED)
    paint("images/overview.png", RED)
    opened = load_image_folder("images", 8)
    assert all(name.startswith("train/") for name in opened.train.names)
    assert opened.val.names == ["val/x.png"]
    assert not opened.labelled


def test_a_validation_class_without_training_images_is_refused(paint, refused):
    for i in range(10):
        paint(f"images/train/a/{i}.png", RED)
        paint(f"images/train/b/{i}.png", RED)
    paint("images/val/images/x.png", RED)
    with refused(Path("images").resolve(), "val/images/", "train/", "remove"):
        load_image_folder("images", 8)


def test_all_kinds_of_images_are_found_and_nothing_else(paint):
    kinds = ["jpg", "jpeg", "JPG", "png", "webp", "bmp", "gif"]
    for i in range(3):
        for kind in kinds:
            paint(f"images/{i}.{kind}", RED)
    paint("images/.hidden.png", RED)
    paint("images/.hidden/x.png", RED)
    Path("images/notes.txt").write_text("no image")
    opened = load_image_folder("images", 8)
    assert all_names(opened) == sorted(f"{i}.{kind}" for i in range(3) for kind in kinds)
    assert np.abs(opened.train.images.astype(int) - RED).max() <= 2


def test_names_may_hold_spaces_and_any_letters(paint):
    names = [f"{folder}/{i} ü.png" for folder in ("Grüße aus Köln", "東京 駅") for i in range(10)]
    for name in names:
        paint(f"Bilder 日本/{name}", BLUE)
    opened = load_image_folder("Bilder 日本", 8)
    assert opened.name == "Bilder 日本"
    assert opened.class_names == ["Grüße aus Köln", "東京 駅"]
    assert all_names(opened) == names
    assert (opened.val.images == BLUE).all()


def test_images_of_any_size_become_squares(paint):
    for i in range(20):
        paint(f"images/{i}.png", GREEN, size=(1 + 13 * i, 260 - 13 * i))
    opened = load_image_folder("images", 24)
    assert opened.train.images.shape == (18, 24, 24, 3)
    assert (opened.train.images == GREEN).all()


def test_a_second_opening_decodes_nothing(pets, monkeypatch):
    first = load_image_folder(pets, 8)
    monkeypatch.setattr(image_folder, "decode_image", fail)
    second = load_image_folder(pets.resolve(), 8)
    assert np.array_equal(first.train.images, second.train.images)
    assert np.array_equal(first.val.labels, second.val.labels)


def test_each_image_size_has_a_cache(pets, monkeypatch):
    assert load_image_folder(pets, 8).image_size == 8
    assert load_image_folder(pets, 12).image_size == 12
    monkeypatch.setattr(image_folder, "decode_image", fail)
    assert load_image_folder(pets, 8).image_size == 8


def test_a_changed_image_is_noticed(pets, paint):
    load_image_folder(pets, 8)
    before = (pets / "cat/0.png").stat()
    paint(pets / "cat/0.png", BLUE)
    os.utime(pets / "cat/0.png", ns=(0, before.st_mtime_ns + 1))
    opened = load_image_folder(pets, 8)
    images = dict(zip(opened.train.names, opened.train.images, strict=True))
    images |= dict(zip(opened.val.names, opened.val.images, strict=True))
    assert (images["cat/0.png"] == BLUE).all()
    assert (images["cat/1.png"] == RED).all()


def test_an_added_and_a_removed_image_are_noticed(pets, paint):
    load_image_folder(pets, 8)
    paint(pets / "cat/new.png", RED)
    assert "cat/new.png" in all_names(load_image_folder(pets, 8))
    (pets / "cat/3.png").unlink()
    assert "cat/3.png" not in all_names(load_image_folder(pets, 8))


def test_unreadable_images_are_named_counted_and_skipped(paint, capsys):
    for i in range(200):
        paint(f"images/{['even', 'odd'][i % 2]}/{i}.jpg", BLUE if i % 2 else RED, size=(64, 64))
    whole = Path("images/odd/7.jpg").read_bytes()
    Path("images/odd/7.jpg").write_bytes(whole[: len(whole) // 2])
    Path("images/even/50.jpg").unlink()
    Path("images/even/50.jpg").symlink_to("nowhere.jpg")
    opened = load_image_folder("images", 8)
    assert len(opened.train) + len(opened.val) == 198
    assert "images: 2 unreadable images skipped" in capsys.readouterr().out
    (written,) = cache_folder().glob("*/skipped.txt")
    lines = sorted(written.read_text("utf8").splitlines())
    assert [line.split(":")[0] for line in lines] == ["even/50.jpg", "odd/7.jpg"]
    assert "truncated" in lines[1].lower()
    for split in (opened.train, opened.val):
        for image, label, name in zip(split.images, split.labels, split.names, strict=True):
            assert name.split("/")[0] == opened.class_names[label]
            assert np.abs(image.astype(int) - (BLUE if label else RED)).max() <= 2


def test_more_than_one_percent_of_unreadable_images_is_refused(pets, refused):
    (pets / "dog/big/4.png").write_text("no image")
    with refused("pets", "1 %", "dog/big/4.png", "cannot identify", "remove"):
        load_image_folder(pets, 8)
    assert list(cache_folder().iterdir()) == []


@pytest.mark.parametrize("count", [0, 2, 19])
def test_too_few_images_are_refused(count, paint, refused):
    Path("few").mkdir()
    for i in range(count):
        paint(f"few/{i}.png", RED)
    with refused(Path("few").resolve(), f"holds {count} images", "at least 20", ".png"):
        load_image_folder("few")
    assert not cache_folder().exists()


@pytest.mark.parametrize(
    "links", [{"again": "."}, {"cat/a": "../dog", "dog/b": "../cat"}, {"x": ".", "y": "."}]
)
def test_a_folder_inside_itself_is_refused_at_once(links, pets, refused):
    for link, target in links.items():
        (pets / link).symlink_to(target)
    with refused("cannot list", "inside itself", "remove"):
        load_image_folder(pets)


def test_a_folder_that_is_linked_from_elsewhere_is_listed(pets, tmp_path):
    shutil.move(pets / "dog", tmp_path / "kennel")
    (pets / "dog").symlink_to(tmp_path / "kennel")
    assert load_image_folder(pets, 8).class_names == ["cat", "dog"]


def test_a_moved_folder_holds_the_same_and_a_changed_one_does_not(pets, paint):
    before = load_image_folder(pets, 8).fingerprint
    shutil.copytree(pets, "elsewhere/pets of ours")
    assert load_image_folder("elsewhere/pets of ours", 8).fingerprint == before
    (pets / "cat/0.png").rename(pets / "cat/10.png")
    assert load_image_folder(pets, 8).fingerprint != before
    (pets / "cat/10.png").rename(pets / "cat/0.png")
    assert load_image_folder(pets, 8).fingerprint == before
    paint(pets / "cat/0.png", (254, 0, 0))
    assert load_image_folder(pets, 8).fingerprint != before


def test_what_is_no_regular_file_is_an_image_that_cannot_be_read(pets, refused):
    os.mkfifo(pets / "cat/pipe.png")
    (pets / "cat/zero.png").symlink_to("/dev/zero")
    with refused("cat/pipe.png", "no regular file"):
        load_image_folder(pets, 8)


@pytest.mark.parametrize(
    "name", ["unfinished-pets", "-pets", "p,ets", "p" * 240, "p\nets", "\x1b[31mpets", "p\udce9ts"]
)
def test_a_folder_of_any_name_is_opened(name, pets, capsys):
    opened = load_image_folder(pets.rename(name), 8)
    assert opened.name.isprintable() and len(opened.name) <= 120 and not opened.name.startswith("unfinished-")
    assert "," not in opened.name and opened.name[0] != "-"
    assert capsys.readouterr().err.count("\n") == 1
    assert image_folder.source(name, 8, whole=True).name == opened.name


def test_files_are_listed_by_name_size_and_time(pets):
    status = (pets / "cat/0.png").stat()
    assert list_images(pets)[0] == ("cat/0.png", status.st_size, status.st_mtime_ns)
    assert [name for name, *_ in list_images(pets)] == all_names(load_image_folder(pets, 8))


@pytest.mark.parametrize("count", [1, 30])
def test_a_whole_folder_is_listed_in_order_however_few_there_are(count, paint):
    for i in range(count):
        paint(f"few/{i:02} ü.png", (i, 0, 0))
    source = image_folder.source("few", 8, whole=True)
    recipe = source.recipe()
    assert (source.name, recipe.labels) == ("few", None)
    assert list(recipe.names) == [f"{i:02} ü.png" for i in range(count)]
    assert [int(recipe.decode(file)[0, 0, 0]) for file in recipe.sources] == list(range(count))


def test_a_whole_folder_has_the_labels_of_its_sub_folders_below_splits_too(paint, pets):
    recipe = image_folder.source(pets, 8, whole=True).recipe()
    assert [recipe.class_names[label] for label in recipe.labels] == ["cat"] * 10 + ["dog"] * 20
    for name in "train/a/x.png", "val/b/y.png", "overview.png", "test/c/z.png":
        paint(f"split/{name}", RED)
    recipe = image_folder.source("split", 8, whole=True).recipe()
    assert list(recipe.names) == ["train/a/x.png", "val/b/y.png"]
    assert (recipe.labels, recipe.class_names) == ([0, 1], ["a", "b"])


def test_a_whole_folder_without_images_is_refused(refused):
    Path("empty").mkdir()
    with refused(Path("empty").resolve(), "no images", ".png"):
        image_folder.source("empty", whole=True)
