"""Batches of decoded images: in order, not too far ahead, and what is no fault of an image."""

from functools import partial

import numpy as np

from dim.data.dataset import Recipe
from dim.data.decoding import decoded, image_or_reason

GREY = partial(np.full, (4, 4, 3), dtype="uint8")


def recipe(greys, decode=GREY) -> Recipe:
    return Recipe(greys, decode, [str(grey) for grey in greys], None, [], len(greys))


def test_batches_come_in_order_from_any_image_on():
    greys = [i % 256 for i in range(700)]
    found = list(decoded(recipe(greys), batch=100, first=300))
    assert [start for start, _ in found] == [300, 400, 500, 600]
    assert [image[0, 0, 0] for _, images in found for image in images] == greys[300:]


def test_what_cannot_be_decoded_is_a_reason_in_its_place():
    ((_, images),) = decoded(recipe([1, 300, 2]), batch=10)
    assert images[1].startswith("OverflowError: ") and images[2][0, 0, 0] == 2


def test_whoever_stops_taking_stops_the_decoding():
    asked = []

    def counted(grey):
        asked.append(grey)
        return GREY(grey)

    batches = decoded(recipe([1] * 10_000, counted), batch=10)
    next(batches)
    batches.close()
    assert len(asked) <= 40


def test_no_memory_is_no_fault_of_the_image(refused):
    def full(source):
        raise MemoryError

    with refused("no memory is left", r"a\nb.png"):
        image_or_reason(full, "a\nb.png")
    with refused("no memory is left"):
        list(decoded(recipe([1, 2], full), batch=10))
