"""Arrays as a data set."""

import numpy as np
import pytest

from dim.data.arrays import of_arrays

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 6, 6, 3), "uint8")
LABELS = [("cat", "dog")[i % 2] for i in range(40)]


def test_a_tenth_is_held_out_and_everything_stays_together():
    dataset = of_arrays(IMAGES, LABELS)
    assert str(dataset) == "arrays: 36 train + 4 val, 2 classes, 6×6" and dataset.drawn
    rows = []
    for split in dataset.train, dataset.val:
        for i, name in enumerate(split.names):
            rows.append(int(name.removeprefix("image ")))
            np.testing.assert_array_equal(split.images[i], IMAGES[rows[-1]])
            assert dataset.caption(split, i) == LABELS[rows[-1]]
    assert sorted(rows) == list(range(40)) and rows != list(range(40))
    assert of_arrays(IMAGES, LABELS).val.names == dataset.val.names


def test_the_fingerprint_is_of_images_and_labels():
    others = of_arrays(IMAGES), of_arrays(IMAGES[::-1], LABELS), of_arrays(IMAGES, LABELS[::-1])
    prints = {each.fingerprint for each in (of_arrays(IMAGES, LABELS), *others)}
    assert len(prints) == 4 and of_arrays(IMAGES.copy(), np.array(LABELS)).fingerprint in prints


@pytest.mark.parametrize(
    ("images", "labels", "complaint"),
    [
        (IMAGES.astype("float32"), None, "[N, S, S, 3] uint8, not [40, 6, 6, 3] float32"),
        (IMAGES[..., 0], None, "not [40, 6, 6] uint8"),
        (IMAGES[:, :5], None, "not [40, 5, 6, 3] uint8"),
        (np.uint8(3), None, "not [] uint8"),
        (IMAGES[:2], None, "there are 2 images; at least 3"),
        (IMAGES, LABELS[1:], "labels must be [40], one an image, not [39]"),
    ],
)
def test_arrays_of_another_form_are_refused(images, labels, complaint, refused):
    with refused(complaint):
        of_arrays(images, labels)
