"""What is held out for choices: who decides, what is left, and that validation images are gone."""

from dataclasses import replace

import numpy as np
import pytest

from dim import data
from dim.configuration import Configuration
from dim.data.tuning import held_out


@pytest.fixture
def folder(make_tiny_folder, tmp_path):
    return make_tiny_folder(tmp_path / "tiny", train=40)


def test_a_tenth_of_the_training_images_stands_in_place_of_validation(folder):
    whole = data.load(str(folder), 16)
    configuration = Configuration(data=str(folder), image_size=16, tune=True)
    tuned = data.load_of(configuration)
    assert set(tuned.train.names) | set(tuned.val.names) == set(whole.train.names)
    assert not set(tuned.train.names) & set(tuned.val.names)
    assert 4 <= len(tuned.val) <= 24 and not set(tuned.val.names) & set(whole.val.names)
    where = {name: i for i, name in enumerate(whole.train.names)}
    for split in tuned.train, tuned.val:
        rows = [where[name] for name in split.names]
        np.testing.assert_array_equal(split.images, whole.train.images[rows])
        np.testing.assert_array_equal(split.labels, whole.train.labels[rows])
    assert str(tuned).startswith("tiny-tune: ") and tuned.class_names == whole.class_names
    plain = data.load_of(replace(configuration, tune=False))
    assert list(plain.val.names) == list(whole.val.names)


def test_a_name_is_held_out_whatever_else_there_is(folder):
    whole = data.load(str(folder), 16)
    held = {name for name, out in zip(whole.train.names, held_out(whole), strict=True) if out}
    rows = np.arange(7, 101)
    labels = whole.train.labels[rows]
    part = replace(
        whole, train=data.Split(whole.train.images[rows], labels, [whole.train.names[i] for i in rows])
    )
    again = {name for name, out in zip(part.train.names, held_out(part), strict=True) if out}
    assert again == held & set(part.train.names)


def test_no_class_is_held_out_to_the_last(folder):
    whole = data.load(str(folder), 16)
    held = held_out(whole)
    rows = np.concatenate([np.flatnonzero(held)[:1], np.flatnonzero(~held)])
    labels = np.concatenate([[0], np.ones(len(rows) - 1, int)])
    alone = replace(
        whole, train=data.Split(whole.train.images[rows], labels, [whole.train.names[i] for i in rows])
    )
    assert held[rows[0]] and not held_out(alone).any()


def test_too_few_images_are_one_line(make_tiny_folder, tmp_path, declined):
    folder = make_tiny_folder(tmp_path / "few", train=1)
    with declined("few has 3 training images", "--tune"):
        data.load_of(Configuration(data=str(folder), image_size=16, tune=True))
