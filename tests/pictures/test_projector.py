"""The projector's files: vectors, names and thumbnails in the same order."""

import numpy as np
import pytest
from imageio.v3 import imread

from dim.pictures.projector import thumbnail_sheet, write_projector


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (4, 2), (5, 3), (12, 4)])
def test_thumbnails_stand_row_by_row_in_a_square_sheet(count, columns):
    images = np.broadcast_to(
        np.arange(10, 10 + count, dtype="uint8")[:, None, None, None], (count, 64, 64, 3)
    )
    sheet = thumbnail_sheet(images)
    assert sheet.shape == (32 * columns, 32 * columns, 3) and sheet.dtype == np.uint8
    tiles = sheet.reshape(columns, 32, columns, 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3)
    for i in range(columns**2):
        assert (tiles[i] == (10 + i if i < count else 255)).all()


def test_each_file_has_a_row_for_each_image_and_writing_again_replaces_them(tmp_path):
    for count in 7, 3:
        codes = np.arange(count * 5.0).reshape(count, 5)
        images = np.zeros((count, 16, 16, 3), "uint8")
        write_projector(tmp_path, codes, images, ["cat"] * count, [f"{i} ä.png" for i in range(count)])
    np.testing.assert_allclose(np.loadtxt(tmp_path / "projector/codes.tsv"), codes)
    names = (tmp_path / "projector/names.tsv").read_text("utf8").splitlines()
    assert names == ["class\timage", "cat\t0 ä.png", "cat\t1 ä.png", "cat\t2 ä.png"]
    assert imread(tmp_path / "projector/thumbnails.png").shape == (64, 64, 3)
    settings = (tmp_path / "projector_config.pbtxt").read_text()
    assert settings.count("embeddings {") == 1 and settings.count("single_image_dim: 32") == 2


def test_names_make_no_rows_or_columns_of_their_own(tmp_path):
    images = np.zeros((1, 16, 16, 3), "uint8")
    write_projector(tmp_path, np.zeros((1, 5)), images, ["a\tb"], ["two\nlines \udcff \x1b.png"])
    names = (tmp_path / "projector/names.tsv").read_text("utf8")
    assert names == "class\timage\na\\tb\ttwo\\nlines \\udcff \\x1b.png\n"


def test_words_stand_in_place_of_images(tmp_path):
    write_projector(tmp_path, np.zeros((2, 5)), None, ["a", "b"], ["some words", "others"])
    assert (tmp_path / "projector/names.tsv").read_text("utf8") == "class\ttext\na\tsome words\nb\tothers\n"
    settings = (tmp_path / "projector_config.pbtxt").read_text()
    assert "sprite" not in settings and settings.count("{") == settings.count("}") == 1
    assert not (tmp_path / "projector/thumbnails.png").exists()
