"""Batches of P classes with K images: what is in them, in which order, and classes of any size."""

from collections import Counter

import numpy as np
import pytest

from dim.data.class_batches import ClassBatches


def batches(sizes, classes, per_class, **options):
    """Classes 10, 20, … of these sizes, mixed; image i is filled with i."""
    labels = np.repeat(10 * np.arange(1, len(sizes) + 1), sizes)
    labels = np.random.default_rng(3).permutation(labels)
    images = np.broadcast_to(
        np.arange(len(labels), dtype="uint8")[:, None, None, None], (len(labels), 2, 2, 3)
    )
    return ClassBatches(images, labels, classes, per_class, **{"seed": 0, **options})


def rows(made, numbers):
    return [made[i][0][:, 0, 0, 0].tolist() for i in numbers]


def epoch(made, number=0):
    first = number * made.steps_per_epoch
    return rows(made, range(first, first + made.steps_per_epoch))


@pytest.mark.parametrize(("sizes", "P", "K"), [([12] * 5, 5, 4), ([12] * 5, 3, 4), ([9, 20, 5, 30], 2, 5)])
def test_a_batch_holds_p_classes_with_k_different_images_each_and_their_labels(sizes, P, K):
    made = batches(sizes, P, K)
    assert made.batch_size == P * K and made.steps_per_epoch == sum(sizes) // (P * K)
    for i in range(3 * made.steps_per_epoch):
        images, labels = made[i]
        assert images.shape == (P * K, 2, 2, 3) and images.dtype == np.uint8 and type(images) is np.ndarray
        numbers = images[:, 0, 0, 0]
        assert len(set(numbers.tolist())) == P * K
        np.testing.assert_array_equal(labels, made.labels[numbers])
        assert sorted(Counter(labels.tolist()).values()) == [K] * P


def test_where_everything_divides_each_image_comes_once_an_epoch():
    made = batches([12] * 5, 5, 4)
    assert sorted(np.concatenate(epoch(made)).tolist()) == list(range(60))


def test_every_class_comes_equally_often_whatever_its_size():
    made = batches([40, 10, 10, 20], 2, 5)
    counts = Counter(made.labels[np.concatenate([np.concatenate(epoch(made, e)) for e in range(3)])].tolist())
    assert max(counts.values()) - min(counts.values()) <= 3 * 5


def test_a_class_is_gone_through_before_any_image_of_it_comes_again():
    made = batches([12, 40], 2, 4)
    own = [row for batch in epoch(made) for row in batch if made.labels[row] == 10]
    assert len(own) == 24 and sorted(own[:12]) == sorted(own[12:]) == sorted(set(own))
    assert own[:12] != own[12:]


def test_a_class_of_fewer_than_k_images_gives_them_several_times():
    made = batches([2, 1, 30], 3, 5)
    for i in range(made.steps_per_epoch):
        images, labels = made[i]
        counts = {
            name: sorted(Counter(images[labels == name, 0, 0, 0].tolist()).values()) for name in (10, 20)
        }
        assert counts == {10: [2, 3], 20: [5]}


def test_a_batch_depends_on_seed_and_number_alone():
    whole = batches([9, 20, 5, 30], 3, 4, seed=7)
    steps = whole.steps_per_epoch
    twin, resumed = (
        batches([9, 20, 5, 30], 3, 4, seed=7),
        batches([9, 20, 5, 30], 3, 4, seed=7, first=2 * steps),
    )
    assert epoch(twin, 1) == epoch(whole, 1)  # whatever was asked for before
    assert [epoch(resumed, 0), epoch(resumed, 1)] == [epoch(whole, 2), epoch(whole, 3)]
    assert epoch(whole, 0) != epoch(whole, 1)
    assert epoch(batches([9, 20, 5, 30], 3, 4, seed=8)) != epoch(whole)


def test_which_classes_meet_changes():
    made = batches([10] * 6, 3, 2)
    met = {frozenset(made[i][1].tolist()) for i in range(20)}
    assert len(met) > 5


def test_what_cannot_be_told_apart_is_refused(refused):
    with refused("of one class", "sub-folder"):
        batches([12], 1, 4)
    for classes in 4, 5:
        with refused(f"{classes} classes", "there are 3"):
            batches([12, 12, 12], classes, 4)
    with refused("no class has two images", "add images"):
        batches([1, 1, 1], 3, 4)
