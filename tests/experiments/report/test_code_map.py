"""The map of codes: near codes lie near, thumbnails do not cover each other, small sets are no error."""

import numpy as np
import pytest

from dim.data import Dataset, Split
from experiments.report import code_map as module
from experiments.report.code_map import code_map, colour, drawn, layout, without_overlap


def clusters(N, D=20):
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 3
    return (10 * np.eye(D)[labels] + rng.normal(size=(N, D))).astype("float32"), labels


def test_clusters_stay_together_and_the_map_is_the_same_again():
    codes, labels = clusters(90)
    places = layout(codes)
    assert places.min() == 0 and places.max() == 1
    nearest = np.argsort(((places[:, None] - places) ** 2).sum(-1), axis=1)[:, 1:6]
    assert (labels[nearest] == labels[:, None]).mean() > 0.95
    np.testing.assert_array_equal(places, layout(codes))


def test_thumbnails_lie_apart_and_any_other_would_touch_one():
    places = np.random.default_rng(0).uniform(size=(1000, 2))
    shown = without_overlap(places)
    pixels = places * (module._SIDE - module._TILE)
    distance = np.abs(pixels[:, None] - pixels[shown]).max(-1)  # of squares
    distance[np.flatnonzero(shown), np.arange(shown.sum())] = np.inf
    framed = module._TILE + 2 * module._FRAME
    assert (distance[shown] > framed).all()
    assert (distance[~shown].min(axis=1) < framed + 3).all()
    assert 150 < shown.sum() < 1000


def test_thumbnails_and_dots_have_the_colour_of_their_class():
    places = np.array([[0.25, 0.25], [0.75, 0.75]])
    images = np.full((2, 16, 16, 3), 77, "uint8")
    picture = drawn(places, images, np.array([True, False]), np.array([0, 5]))
    assert colours_in(picture) == {(255, 255, 255), (77, 77, 77), colour(0), colour(5)}
    unlabelled = drawn(places, images, np.array([True, False]), None)
    assert len(colours_in(unlabelled)) == 3


def colours_in(picture):
    packed = np.unique(picture @ [2**16, 2**8, 1])
    return {(number >> 16, number >> 8 & 255, number & 255) for number in packed.tolist()}


def dataset(N, classes=3, labelled=True):
    images = np.zeros((N, 8, 8, 3), "uint8")
    labels = np.arange(N) % classes if labelled else None
    split = Split(images, labels, [f"{i}.png" for i in range(N)])
    return Dataset("few", split, split, [f"<{i}>" for i in range(classes)] if labelled else [])


@pytest.mark.parametrize("D", [1, 2, 60])
@pytest.mark.parametrize("N", [5, 31])
def test_few_images_and_short_codes_have_a_map(N, D):
    html = code_map(dataset(N), clusters(N, max(D, 3))[0][:, :D])
    assert "<img" in html and "&lt;2&gt;" in html and "<2>" not in html
    assert f"perplexity {module._perplexity(N)}," in html


def test_what_cannot_be_drawn_is_left_out_with_a_word():
    assert "at least 5" in code_map(dataset(4), np.eye(4))
    assert "all codes are the same" in code_map(dataset(9), np.ones((9, 4)))


def test_without_labels_or_with_many_there_is_no_legend():
    codes, _ = clusters(60)
    assert "no labels" in (html := code_map(dataset(60, labelled=False), codes)) and "legend" not in html
    assert "after 20 of the 30" in (html := code_map(dataset(60, 30), codes)) and "legend" not in html


def test_the_perplexity_leaves_room_for_three_times_as_many_neighbours():
    assert [module._perplexity(N) for N in (5, 31, 90, 91, 1000)] == [1, 10, 29, 30, 30]
