import io
import os
import shutil
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dim.data import tiny_imagenet
from dim.data.cache import cache_folder, cached

COLOURS = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]


def load_tiny_imagenet(where, image_size=64):
    source = tiny_imagenet.source(where, image_size)
    return cached(source, image_size)


def fail(*_, **__):
    pytest.fail("decoded again")


def rewrite(archive: Path, change) -> Path:
    """Copies a zip, each file's content replaced by `change(name, content)`, or left out for None."""
    copy = archive.with_name("rewritten.zip")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return copy


@pytest.fixture(params=["folder", "zip"])
def tiny(request) -> Path:
    return request.getfixturevalue(f"tiny_{request.param}")


def test_labels_follow_the_sorted_wnids_and_names_come_from_words(tiny):
    opened = load_tiny_imagenet(tiny)
    assert opened.name == "tiny"
    assert opened.class_names == ["kingfisher", "tree frog", "lapis lazuli"]
    assert opened.train.labels.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    assert opened.train.names[10] == "train/n02/images/n02_0.JPEG"


def test_validation_labels_come_from_the_annotations(tiny):
    opened = load_tiny_imagenet(tiny)
    assert opened.val.names == [f"val/images/val_{i}.JPEG" for i in range(6)]
    assert opened.val.labels.tolist() == [2, 0, 1, 2, 0, 1]


def test_pixels_belong_to_their_labels_and_names(tiny):
    opened = load_tiny_imagenet(tiny)
    coloured = np.setdiff1d(np.arange(30), [20])
    images = opened.train.images.astype(int)
    assert images.shape == (30, 64, 64, 3)
    for i in coloured:
        number = int(opened.train.names[i].split("_")[1].removesuffix(".JPEG"))
        assert np.abs(images[i, :, :32] - COLOURS[i // 10]).max() <= 3
        assert np.abs(images[i, :, 32:] - 20 * number).max() <= 3
    for image, label in zip(opened.val.images.astype(int), opened.val.labels, strict=True):
        assert np.abs(image[:, :32] - COLOURS[label]).max() <= 3


def test_a_greyscale_file_becomes_rgb(tiny):
    opened = load_tiny_imagenet(tiny)
    assert opened.train.names[20] == "train/n03/images/n03_0.JPEG"
    assert (opened.train.images[20] == 100).all()


def test_other_sizes_are_scaled(tiny):
    assert load_tiny_imagenet(tiny, 32).train.images.shape == (30, 32, 32, 3)


def test_folder_and_zip_hold_the_same(tiny_folder, tiny_zip):
    folder, archive = load_tiny_imagenet(tiny_folder), load_tiny_imagenet(tiny_zip)
    assert folder.class_names == archive.class_names
    for part in ("train", "val"):
        one, other = getattr(folder, part), getattr(archive, part)
        assert np.array_equal(one.images, other.images)
        assert np.array_equal(one.labels, other.labels)
        assert one.names == other.names


def test_a_zip_may_lack_the_outer_folder(tiny_folder):
    archive = Path(shutil.make_archive("bare", "zip", tiny_folder))
    assert len(load_tiny_imagenet(archive).train) == 30


def test_without_words_the_classes_are_called_by_wnid(tiny_folder):
    (tiny_folder / "words.txt").unlink()
    assert load_tiny_imagenet(tiny_folder).class_names == ["n01", "n02", "n03"]


def test_other_files_than_images_are_left_out(tiny_folder):
    (tiny_folder / "train/n01/images/Thumbs.db").write_text("")
    (tiny_folder / "val/images/._val_0.JPEG").write_text("")
    archive = Path(shutil.make_archive("bare", "zip", tiny_folder))
    for where in (tiny_folder, archive):
        opened = load_tiny_imagenet(where)
        assert (len(opened.train), len(opened.val)) == (30, 6)


@pytest.mark.parametrize("decoder", ["decode_image", "decode_member"])
def test_a_second_opening_decodes_nothing(decoder, tiny_folder, tiny_zip, monkeypatch):
    where = tiny_folder if decoder == "decode_image" else tiny_zip
    first = load_tiny_imagenet(where)
    monkeypatch.setattr(tiny_imagenet, decoder, fail)
    assert np.array_equal(load_tiny_imagenet(where).train.images, first.train.images)


def test_changed_annotations_are_noticed(tiny_folder):
    load_tiny_imagenet(tiny_folder)
    file = tiny_folder / "val/val_annotations.txt"
    file.write_text(file.read_text().replace("val_0.JPEG\tn03", "val_0.JPEG\tn02"))
    os.utime(file, ns=(0, 0))
    assert load_tiny_imagenet(tiny_folder).val.labels.tolist() == [1, 0, 1, 2, 0, 1]


def test_changed_words_are_noticed(tiny_folder):
    load_tiny_imagenet(tiny_folder)
    (tiny_folder / "words.txt").write_text("n01\tbird\n")
    assert load_tiny_imagenet(tiny_folder).class_names == ["bird", "n02", "n03"]


def test_a_zip_with_other_content_is_noticed(tiny_zip):
    load_tiny_imagenet(tiny_zip)

    def without_first_class(name, content):
        return None if "/n01/" in name or "val_1." in name or "val_4." in name else content

    rewrite(tiny_zip, without_first_class).replace(tiny_zip)
    opened = load_tiny_imagenet(tiny_zip)
    assert opened.class_names == ["tree frog", "lapis lazuli"]
    assert opened.val.labels.tolist() == [1, 0, 1, 0]
    assert np.abs(opened.train.images[0, :, :32].astype(int) - COLOURS[1]).max() <= 3


def test_an_unreadable_image_in_a_zip_is_named_and_skipped(make_tiny_folder, capsys):
    make_tiny_folder("large", train=40)
    archive = Path(shutil.make_archive("large", "zip", "large"))

    def broken(name, content):
        return content[:300] if name.endswith("n02_7.JPEG") else content

    opened = load_tiny_imagenet(rewrite(archive, broken))
    assert opened.train.labels.tolist() == [0] * 40 + [1] * 39 + [2] * 40
    assert opened.val.labels.tolist() == [2, 0, 1, 2, 0, 1]
    assert "1 unreadable images skipped" in capsys.readouterr().out
    (written,) = cache_folder().glob("*/skipped.txt")
    assert written.read_text().startswith("train/n02/images/n02_7.JPEG: ")


def test_what_is_no_zip_is_refused(refused):
    Path("wrong.zip").write_text("something else")
    with refused(Path("wrong.zip").resolve(), "not a zip", "fetch it again"):
        load_tiny_imagenet("wrong.zip")


def test_a_truncated_zip_is_refused(tiny_zip, refused):
    content = tiny_zip.read_bytes()
    tiny_zip.write_bytes(content[: len(content) * 3 // 4])
    with refused(tiny_zip, "damaged", "fetch it again"):
        load_tiny_imagenet(tiny_zip)


def test_a_zip_with_damaged_images_is_refused(tiny_zip, refused):
    content = bytearray(tiny_zip.read_bytes())
    with zipfile.ZipFile(tiny_zip) as archive:
        start = archive.getinfo("tiny/train/n01/images/n01_3.JPEG").header_offset
    content[start + 100 : start + 200] = bytes(100)
    tiny_zip.write_bytes(content)
    with refused("tiny", "1 %", "n01/images/n01_3.JPEG", "repair"):
        load_tiny_imagenet(tiny_zip)
    assert list(cache_folder().iterdir()) == []


def headers(archive: Path, member: str, **values) -> None:
    """Lets a zip say something else of one of its members."""
    with zipfile.ZipFile(archive, "a") as opened:
        for name, value in values.items():
            setattr(opened.getinfo(member), name, value)
        opened._didModify = True


@pytest.mark.parametrize(
    ("values", "pieces"),
    [
        ({"flag_bits": 1}, ["val_annotations.txt cannot be read", "encrypted", "fetch it again"]),
        ({"compress_type": 97}, ["val_annotations.txt cannot be read", "other than deflate"]),
        ({"CRC": 1}, ["is damaged", "Bad CRC-32", "fetch it again"]),
        ({"file_size": 2**31}, ["val_annotations.txt cannot be read", "2,147,483,648 bytes are more"]),
        ({"header_offset": 7}, ["is damaged", "fetch it again"]),
    ],
    ids=["encrypted", "unknown method", "wrong checksum", "too large", "elsewhere"],
)
def test_annotations_that_cannot_be_unpacked_are_one_line(values, pieces, tiny_zip, refused):
    headers(tiny_zip, "tiny/val/val_annotations.txt", **values)
    with refused(tiny_zip, *pieces):
        load_tiny_imagenet(tiny_zip)


def test_annotations_whose_bytes_are_damaged_are_one_line(tiny_zip, refused):
    content = bytearray(tiny_zip.read_bytes())
    with zipfile.ZipFile(tiny_zip) as archive:
        start = archive.getinfo("tiny/val/val_annotations.txt").header_offset + 70
    content[start : start + 20] = b"\xff" * 20
    tiny_zip.write_bytes(content)
    with refused(tiny_zip, "is damaged", "fetch it again"):
        load_tiny_imagenet(tiny_zip)


@pytest.mark.parametrize("values", [{"flag_bits": 1}, {"file_size": 3 * 2**30}, {"compress_type": 97}])
def test_an_image_that_cannot_be_unpacked_is_named(values, tiny_zip, refused):
    headers(tiny_zip, "tiny/train/n01/images/n01_3.JPEG", **values)
    with refused("more than 1 %", "train/n01/images/n01_3.JPEG: "):
        load_tiny_imagenet(tiny_zip)


def test_annotations_that_windows_wrote_are_read(tiny_folder, tiny_zip):
    def as_windows_does(name, content):
        return (
            b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n") if name.endswith("annotations.txt") else content
        )

    assert load_tiny_imagenet(rewrite(tiny_zip, as_windows_does)).val.labels.tolist() == [2, 0, 1, 2, 0, 1]
    file = tiny_folder / "val/val_annotations.txt"
    file.write_bytes(as_windows_does(file.name, file.read_bytes()))
    assert load_tiny_imagenet(tiny_folder).val.labels.tolist() == [2, 0, 1, 2, 0, 1]


def test_huge_annotations_are_not_read(tiny_zip, tiny_folder, refused):
    with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb, zipfile.ZipFile(tiny_zip) as archive:
        for name in archive.namelist():
            large = name.endswith("annotations.txt")
            bomb.writestr(name, bytes(tiny_imagenet._MOST_TEXT + 1) if large else archive.read(name))
    with refused("bomb.zip", "bytes are more"):
        load_tiny_imagenet("bomb.zip")
    with (tiny_folder / "words.txt").open("r+b") as file:
        file.truncate(2**40)
    with refused("words.txt is larger than"):
        load_tiny_imagenet(tiny_folder)


def test_a_member_that_is_there_twice_counts_once(tiny_zip):
    with zipfile.ZipFile(tiny_zip, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("tiny/val/images/val_0.JPEG", archive.read("tiny/val/images/val_0.JPEG"))
    assert len(load_tiny_imagenet(tiny_zip).val) == 6


def test_folder_and_zip_have_the_same_fingerprint_and_other_labels_another(tiny_folder, tiny_zip):
    fingerprint = load_tiny_imagenet(tiny_folder).fingerprint
    assert load_tiny_imagenet(tiny_zip).fingerprint == fingerprint
    assert not load_tiny_imagenet(tiny_zip).drawn
    file = tiny_folder / "val/val_annotations.txt"
    file.write_text(file.read_text().replace("val_0.JPEG\tn03", "val_0.JPEG\tn02"))
    assert load_tiny_imagenet(tiny_folder).fingerprint != fingerprint


def test_another_zip_is_refused(paint, refused):
    paint("holiday/a.png", (1, 2, 3))
    archive = Path(shutil.make_archive("holiday", "zip", "holiday"))
    with refused(archive.resolve(), "not Tiny-ImageNet", "val_annotations.txt", "pass the folder"):
        load_tiny_imagenet(archive)


def test_a_zip_without_annotations_is_refused(tiny_zip, refused):
    archive = rewrite(tiny_zip, lambda name, content: None if "annotations" in name else content)
    with refused(archive, "val_annotations.txt"):
        load_tiny_imagenet(archive)


@pytest.mark.parametrize("part", ["train", "val/images"])
def test_a_folder_without_images_is_refused(part, tiny_folder, refused):
    shutil.rmtree(tiny_folder / part)
    with refused(tiny_folder, "0 images in", "official layout"):
        load_tiny_imagenet(tiny_folder)


def test_a_validation_class_without_training_images_is_refused(tiny_folder, refused):
    shutil.rmtree(tiny_folder / "train/n02")
    with refused(tiny_folder, "val/images/val_2.JPEG", "n02", "train/", "restore"):
        load_tiny_imagenet(tiny_folder)


@pytest.mark.parametrize("annotation", ["", "val_3.JPEG\n"], ids=["no line", "no class"])
def test_a_validation_image_without_annotation_is_refused(annotation, tiny_folder, refused):
    file = tiny_folder / "val/val_annotations.txt"
    file.write_text(file.read_text().replace("val_3.JPEG\tn03\t0\t0\t63\t63\n", annotation))
    with refused(tiny_folder, "val_annotations.txt", "val/images/val_3.JPEG", "restore"):
        load_tiny_imagenet(tiny_folder)


@pytest.fixture(scope="module")
def real(real_tiny_imagenet, tmp_path_factory):
    """Real images straight from the zip, and the seconds that decoding took."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIM_CACHE", str(tmp_path_factory.mktemp("real")))
        start = time.perf_counter()
        return load_tiny_imagenet(real_tiny_imagenet), time.perf_counter() - start


def test_real_classes_have_500_training_and_50_validation_images(real):
    opened, _ = real
    classes = len(opened.class_names)
    assert opened.train.images.shape == (500 * classes, 64, 64, 3)
    assert opened.val.images.shape == (50 * classes, 64, 64, 3)
    assert np.bincount(opened.train.labels).tolist() == [500] * classes
    assert np.bincount(opened.val.labels).tolist() == [50] * classes
    assert not any(name.startswith("n0") for name in opened.class_names)


def test_real_images_are_decoded_in_much_less_than_a_minute(real):
    opened, seconds = real
    assert seconds < 40 * max(1, len(opened.train) / 10_000)


def test_real_greyscale_files_have_three_equal_channels(real, real_tiny_imagenet):
    opened, _ = real
    greys = 0
    with zipfile.ZipFile(real_tiny_imagenet) as archive:
        paths = {name[name.index("val/") :]: name for name in archive.namelist() if "val/" in name}
        for image, name in zip(opened.val.images, opened.val.names, strict=True):
            original = Image.open(io.BytesIO(archive.read(paths[name])))
            if original.mode == "L":
                greys += 1
                assert np.array_equal(image, np.stack([np.asarray(original)] * 3, axis=-1))
    assert greys > 0


def test_real_images_unpacked_are_the_same_as_in_the_zip(real, real_tiny_imagenet, tmp_path):
    opened, _ = real
    with zipfile.ZipFile(real_tiny_imagenet) as archive:
        archive.extractall(tmp_path / "unpacked")
    (annotations,) = (tmp_path / "unpacked").rglob("val_annotations.txt")
    folder = load_tiny_imagenet(annotations.parents[1])
    for part in ("train", "val"):
        one, other = getattr(opened, part), getattr(folder, part)
        assert np.array_equal(one.images, other.images)
        assert np.array_equal(one.labels, other.labels)
        assert one.names == other.names
