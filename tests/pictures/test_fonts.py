"""Letters of any script are drawn by a font that has them, or stand there as what they are."""

import numpy as np
import pytest
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from dim.pictures import figures, fonts
from dim.pictures.fonts import covered, font_for, rich
from dim.pictures.grid import INK, write_line


@pytest.fixture
def bare(monkeypatch):
    """A system that has no font but ours."""
    monkeypatch.setattr(fonts, "_system_fonts", tuple)


def test_english_keeps_its_font_and_european_letters_take_the_rich_one(bare):
    plain = ImageFont.load_default(13)
    assert font_for("a photograph", plain) == ("a photograph", plain)
    text, font = font_for("été Привет שלום", plain)
    assert text == "été Привет שלום" and font.size == 13 and font.path == rich()


def test_letters_that_no_font_has_are_written_as_their_numbers(bare):
    assert covered("a 猫 𐍈!") == ("a \\u732b \\U00010348!", rich())


def test_a_font_of_the_system_that_has_all_letters_is_taken(monkeypatch):
    known = {"a.ttf": {ord("a")}, "cjk.ttc": {ord("a"), ord("猫")}}
    monkeypatch.setattr(fonts, "_system_fonts", lambda: tuple(known))
    monkeypatch.setattr(fonts, "_known", lambda file: known.get(file, {ord("a")}))
    fonts._lacking.cache_clear()
    assert covered("a猫") == ("a猫", "cjk.ttc")
    assert covered("a猫犬") == ("a猫\\u72ac", "cjk.ttc")
    fonts._lacking.cache_clear()


def test_files_that_are_no_fonts_have_no_letters(tmp_path):
    (tmp_path / "bad.ttf").write_bytes(b"no font")
    assert fonts._known(tmp_path / "bad.ttf") == fonts._known(tmp_path / "absent.ttf") == frozenset()


def test_what_the_system_has_can_be_read():
    for file in font_manager.findSystemFonts()[:3]:
        assert fonts._known(file)


def test_captions_in_chinese_are_neither_boxes_nor_lost(bare):
    def drawn(text):
        sheet = Image.new("RGB", (300, 30), "white")
        write_line(ImageDraw.Draw(sheet), (2, 2), text, ImageFont.load_default(14), INK, 290)
        return np.asarray(sheet)

    assert (drawn("猫.jpg") != drawn("犬.jpg")).any()  # boxes would be alike
    assert (drawn("猫.jpg") == drawn("\\u732b.jpg")).mean() > 0.9


def test_figures_write_them_alike(bare, tmp_path, recwarn):
    figure, axes = figures.panels(1)
    axes.set_title("猫")
    figures.save(figure, tmp_path / "figure.png")
    assert axes.get_title() == "\\u732b" and not [w for w in recwarn if "Glyph" in str(w.message)]
