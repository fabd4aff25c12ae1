"""Neighbour pictures pixel by pixel."""

import numpy as np
import pytest
from PIL import ImageDraw

from dim.pictures.grid import HIT, MISS, Layout, neighbour_grid

Q, K, S, TILE = 2, 3, 8, 56


def picture(hits=None, caption="cat"):
    colours = np.arange(20, 20 + 20 * Q * (K + 1), 20, dtype="uint8").reshape(Q, K + 1)
    images = np.broadcast_to(colours[:, :, None, None, None], (Q, K + 1, S, S, 3))
    sheet = neighbour_grid(
        images[:, 0],
        images[:, 1:],
        "title",
        ["query"] * Q,
        [[caption] * K] * Q,
        np.linspace(0, 1, Q * K).reshape(Q, K),
        hits,
        TILE,
    )
    return sheet, colours


def test_every_image_is_where_it_belongs_with_its_own_values():
    sheet, colours = picture()
    assert sheet.dtype == np.uint8 and sheet.shape == (*Layout(TILE).size(Q, K)[::-1], 3)
    for q in range(Q):
        for i in range(K + 1):
            x, y = Layout(TILE).corner(q, i - 1 if i else None)
            assert (sheet[y : y + TILE, x : x + TILE] == colours[q, i]).all()


def test_the_query_is_set_apart_by_a_gutter_wider_than_the_gaps():
    layout = Layout(TILE)
    starts = [layout.corner(0, i)[0] for i in (None, 0, 1)]
    assert starts[1] - starts[0] > 1.15 * (starts[2] - starts[1])
    sheet, _ = picture()
    gutter = sheet[layout.top :, starts[0] + TILE + layout.frame : starts[1] - layout.frame]
    assert (gutter == 255).all()


def test_hits_and_misses_are_framed_in_their_colours_and_nothing_is_where_nothing_is_known():
    hits = np.array([[True, False, True], [False, False, True]])
    sheet, _ = picture(hits)
    plain, _ = picture(None)
    for q in range(Q):
        for i in range(K):
            x, y = Layout(TILE).corner(q, i)
            assert tuple(sheet[y - 1, x + TILE // 2]) == (HIT if hits[q, i] else MISS)
            assert tuple(sheet[y + TILE // 2, x + TILE]) == (HIT if hits[q, i] else MISS)
            assert tuple(plain[y - 1, x + TILE // 2]) == (255, 255, 255)


def test_captions_are_written_below_and_long_ones_stay_within_their_column():
    layout = Layout(TILE)
    x, y = layout.corner(0, K - 1)
    below = slice(y + TILE + layout.frame, y + TILE + layout.frame + 2 * layout.line)
    sheet, _ = picture(caption="a very long name of a class indeed")
    assert (sheet[below, x : x + TILE] < 128).any()
    x, _ = layout.corner(0, 0)
    gap = sheet[below, x + TILE : x + TILE + layout.gap]
    assert (gap == 255).all()


@pytest.mark.parametrize("size", [1, 64, 300])
def test_images_of_any_size_fill_their_tile(size):
    sheet = neighbour_grid(
        np.full((1, size, size, 3), 9, "uint8"),
        np.full((1, 1, size, size, 3), 7, "uint8"),
        "",
        [""],
        [[""]],
        np.zeros((1, 1)),
        tile=TILE,
    )
    x, y = Layout(TILE).corner(0, 0)
    assert (sheet[y : y + TILE, x : x + TILE] == 7).all()


def test_letters_of_other_alphabets_are_drawn_and_not_boxes():
    """A letter that a font lacks looks like any other that it lacks."""
    layout = Layout(TILE)
    x, y = layout.corner(0, 0)
    below = slice(y + TILE + layout.frame, y + TILE + layout.frame + layout.line)
    drawn = [picture(caption=letter)[0][below, x : x + TILE].tobytes() for letter in "üéßжλ"]
    assert len(set(drawn)) == 5


@pytest.mark.parametrize("caption", ["two\nlines", "\x1b[31mred", "caf\udce9", "שלום 写真 \u202egpj", ""])
def test_any_name_can_be_written(caption):
    assert picture(np.ones((Q, K), bool), caption)[0].any()


def test_a_name_as_long_as_a_novel_is_cut_before_it_is_measured(monkeypatch):
    measured = []
    textlength = ImageDraw.ImageDraw.textlength
    monkeypatch.setattr(
        ImageDraw.ImageDraw,
        "textlength",
        lambda draw, text, font: measured.append(len(text)) or textlength(draw, text, font),
    )
    picture(caption="i" * 1_000_000)
    assert max(measured) <= TILE + 2
