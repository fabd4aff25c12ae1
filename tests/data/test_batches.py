import numpy as np
import pytest

from dim.data.batches import Batches, InOrder

# Image i is filled with i.
IMAGES = np.broadcast_to(np.arange(23, dtype="uint8")[:, None, None, None], (23, 4, 4, 3))


def epoch(batches, number: int = 0) -> list[list[int]]:
    """The numbers of the images, batch by batch, in an epoch."""
    batches.start(number)
    return in_turn(batches)


def in_turn(batches) -> list[list[int]]:
    return [batches[i][0][:, 0, 0, 0].tolist() for i in range(len(batches))]


def test_a_batch_is_one_uint8_array_in_memory(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    for batches in (Batches(mapped, 5, seed=0), InOrder(mapped, 5)):
        (images,) = batches[0]
        assert type(images) is np.ndarray
        assert images.dtype == np.uint8
        assert images.shape == (5, 4, 4, 3)


def test_each_image_comes_once_an_epoch_and_the_remainder_is_dropped():
    batches = Batches(IMAGES, 5, seed=0)
    assert len(batches) == 4
    seen = np.concatenate(epoch(batches))
    assert len(seen) == len(set(seen)) == 20


def test_with_no_remainder_every_image_comes():
    assert sorted(np.concatenate(epoch(Batches(IMAGES[:20], 5, seed=0)))) == list(range(20))


def test_a_batch_keeps_the_pixels_of_its_images():
    (images,) = Batches(IMAGES, 5, seed=0)[1]
    assert (images == images[:, :1, :1, :1]).all()


def test_the_order_is_random_and_another_one_in_each_epoch():
    batches = Batches(IMAGES, 5, seed=0)
    orders = [epoch(batches, number) for number in range(3)]
    assert len({str(order) for order in orders}) == 3
    assert all(np.concatenate(order).tolist() != list(range(20)) for order in orders)


def test_the_remainder_is_another_one_in_each_epoch():
    batches = Batches(IMAGES, 5, seed=0)
    seen = [image for number in range(3) for batch in epoch(batches, number) for image in batch]
    assert set(seen) == set(range(23))


def test_another_seed_gives_another_order():
    assert epoch(Batches(IMAGES, 5, seed=0)) != epoch(Batches(IMAGES, 5, seed=1))


def test_an_epoch_has_the_same_order_whichever_came_before():
    whole, resumed = Batches(IMAGES, 5, seed=7), Batches(IMAGES, 5, seed=7)
    orders = [epoch(whole, number) for number in range(5)]
    assert [epoch(resumed, 3), epoch(resumed, 4)] == orders[3:]


def test_without_a_start_it_is_the_first_epoch():
    assert in_turn(Batches(IMAGES, 5, seed=7)) == epoch(Batches(IMAGES, 5, seed=7), 0)


@pytest.mark.parametrize(("size", "count"), [(5, 5), (23, 1), (100, 1), (1, 23)])
def test_in_order_gives_all_images_the_last_batch_being_smaller(size, count):
    batches = InOrder(IMAGES, size)
    assert len(batches) == count
    assert np.concatenate(in_turn(batches)).tolist() == list(range(23))
    assert len(batches[count - 1][0]) == (23 % size or size)
