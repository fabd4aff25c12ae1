import gc
import weakref

import keras
import numpy as np
import pytest
from keras import ops

from dim.data.batches import Batches, InOrder, let_go

# Image i is filled with i.
IMAGES = np.broadcast_to(np.arange(23, dtype="uint8")[:, None, None, None], (23, 4, 4, 3))


def epoch(batches, number: int = 0) -> list[list[int]]:
    """The numbers of the images, batch by batch, in an epoch."""
    first = number * batches.steps_per_epoch
    return in_turn(batches, range(first, first + batches.steps_per_epoch))


def in_turn(batches, numbers) -> list[list[int]]:
    return [batches[i][0][:, 0, 0, 0].tolist() for i in numbers]


class Recorder(keras.Model):
    """Notes the images that it is trained on."""

    def __init__(self):
        super().__init__()
        self.seen = self.add_weight(shape=(60,), trainable=False)
        self.step = self.add_weight(shape=(), dtype="int32", trainable=False)
        self.scale = self.add_weight(shape=())

    def call(self, images):
        return self.scale * ops.cast(images[:, 0, 0, 0], "float32")

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        numbers = ops.cast(x[:, 0, 0, 0], "float32")
        seen, start = ops.convert_to_tensor(self.seen), [ops.convert_to_tensor(self.step) * 5]
        self.seen.assign(ops.slice_update(seen, start, numbers))
        self.step.assign(self.step + 1)
        return ops.sum(y_pred)


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
    assert batches.steps_per_epoch == 4
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


def test_labels_stay_with_their_images():
    images = np.arange(23, dtype="uint8")[:, None, None, None] * np.ones((1, 2, 2, 3), "uint8")
    batches = Batches(images, 5, seed=3, labels=100 + np.arange(23))
    for i in range(9):
        batch, labels = batches[i]
        np.testing.assert_array_equal(labels, 100 + batch[:, 0, 0, 0].astype(int))


def test_a_later_start_gives_the_same_batches():
    whole = Batches(IMAGES, 5, seed=7)
    resumed = Batches(IMAGES, 5, seed=7, first=3 * whole.steps_per_epoch)
    assert [epoch(resumed, 0), epoch(resumed, 1)] == [epoch(whole, 3), epoch(whole, 4)]


def test_fit_takes_the_batches_in_turn_over_several_epochs():
    batches, model = Batches(IMAGES, 5, seed=7), Recorder()
    model(IMAGES)  # a model that is not built would be built with a batch, which would be lost
    model.compile("sgd")
    model.fit(batches, steps_per_epoch=batches.steps_per_epoch, epochs=3, shuffle=False, verbose=0)
    seen = ops.convert_to_numpy(model.seen).astype(int).reshape(12, 5).tolist()
    assert seen == in_turn(Batches(IMAGES, 5, seed=7), range(12))


@pytest.mark.parametrize(("size", "count"), [(5, 5), (23, 1), (100, 1), (1, 23)])
def test_in_order_gives_all_images_the_last_batch_being_smaller(size, count):
    batches = InOrder(IMAGES, size)
    assert batches.num_batches == count
    assert np.concatenate(in_turn(batches, range(count))).tolist() == list(range(23))
    assert len(batches[count - 1][0]) == (23 % size or size)


def test_what_was_let_go_is_freed_though_the_backend_keeps_the_dataset():
    class Array(np.ndarray):
        """Unlike a plain array it can be watched."""

    x, y = np.zeros((20, 3), "float32").view(Array), np.zeros(20, "int64")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mean_squared_error")
    batches, watched = Batches(x, 5, seed=0, labels=y), weakref.ref(x)
    model.fit(batches, steps_per_epoch=4, shuffle=False, verbose=0)
    let_go(batches)
    del x
    gc.collect()
    assert watched() is None and batches.images is None and batches.labels is None
