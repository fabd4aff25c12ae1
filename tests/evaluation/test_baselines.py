"""The untrained encoder: what calibration changes, what it leaves alone, and that a seed decides it."""

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA

from dim.configuration import Configuration
from dim.data.batches import Batches
from dim.evaluation import baselines
from dim.evaluation.baselines import (
    BATCHES,
    PixelPCA,
    calibrated,
    pixels,
    untrained_encoder,
    untrained_encoders,
)
from dim.layers.normalisation import BatchNormalization
from dim.methods.build import build_encoder

SMALL = {"image_size": 16, "code_size": 6, "precision": "float32"}


def images(N=60, size=16):
    return np.random.default_rng(0).integers(0, 256, (N, size, size, 3), "uint8")


def statistics(encoder):
    layers = [x for x in encoder._flatten_layers() if isinstance(x, keras.layers.BatchNormalization)]
    assert layers
    return [
        [np.array(keras.ops.convert_to_numpy(x)) for x in (y.moving_mean, y.moving_variance)] for y in layers
    ]


def weights(encoder):
    return [np.array(keras.ops.convert_to_numpy(x)) for x in encoder.trainable_variables]


@pytest.mark.parametrize(("count", "batch_size", "batches"), [(60, 20, 3), (2 * BATCHES + 9, 2, BATCHES)])
def test_statistics_become_the_mean_of_those_of_the_first_batches(count, batch_size, batches):
    x = images(count)
    encoder = build_encoder(Configuration(**SMALL))
    first = next(layer for layer in encoder.layers if isinstance(layer, BatchNormalization))
    before = keras.Model(encoder.input, first.input)
    kept, momentum = weights(encoder), first.momentum
    order = Batches(x, batch_size, seed=3)
    seen = [keras.ops.convert_to_numpy(before(order[i][0])) for i in range(batches)]
    assert calibrated(encoder, x, batch_size, seed=3) is encoder
    (mean, variance), *_ = statistics(encoder)
    axes = tuple(range(seen[0].ndim - 1))
    np.testing.assert_allclose(mean, np.mean([y.mean(axis=axes) for y in seen], axis=0), atol=1e-5)
    np.testing.assert_allclose(variance, np.mean([y.var(axis=axes) for y in seen], axis=0), rtol=1e-4)
    for one, other in zip(kept, weights(encoder), strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.momentum == momentum


@pytest.mark.parametrize("name", ["basic32", "resnet18", "mobilenetv2"])
def test_every_layer_of_every_encoder_is_calibrated_and_no_weight_changed(name):
    x = images(24, 32)
    encoder = build_encoder(Configuration(**{**SMALL, "image_size": 32}, encoder=name))
    kept, before = weights(encoder), statistics(encoder)
    calibrated(encoder, x, 12, seed=0)
    for old, new in zip(before, statistics(encoder), strict=True):
        assert (old[0] != new[0]).any() and np.abs(old[1] - new[1]).max() > 1e-3
    for one, other in zip(kept, weights(encoder), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_seed_decides_and_the_order_of_the_images_is_that_of_a_run():
    configuration = Configuration(**SMALL, batch_size=7, seed=5)
    one, again = (statistics(untrained_encoder(configuration, images())) for _ in range(2))
    other = statistics(calibrated(build_encoder(configuration), images(), 7, seed=6))
    np.testing.assert_array_equal(one[0][0], again[0][0])
    assert (one[0][0] != other[0][0]).any()
    all_images = statistics(calibrated(build_encoder(configuration), images(), 1000, seed=5))
    np.testing.assert_allclose(one[0][0], all_images[0][0], atol=0.1)  # fewer images than a batch will do


def test_further_seeds_are_the_untrained_encoders_of_those_seeds():
    configuration, x = Configuration(**SMALL, batch_size=20), images()
    found = {
        seed: encoder.predict(x, verbose=0)["mean"]
        for seed, encoder in untrained_encoders(configuration, x, (4, 7))
    }
    for seed, codes in found.items():
        expected = untrained_encoder(Configuration(**SMALL, batch_size=20, seed=seed), x)
        np.testing.assert_allclose(codes, expected.predict(x, verbose=0)["mean"], atol=1e-5)
    assert np.abs(found[4] - found[7]).max() > 0.01


def test_without_batch_normalisation_nothing_changes():
    inputs = keras.Input((16, 16, 3))
    encoder = keras.Model(inputs, keras.layers.Dropout(0.5)(keras.layers.Conv2D(2, 3)(inputs)))
    before = encoder.get_weights()
    calibrated(encoder, images(), 20, seed=0)
    for one, other in zip(before, encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_components_are_those_of_scikit_learns_exact_pca():
    x = images(60, 8)
    x[:, :, :, 0] //= 8  # some directions vary more than others
    x[:, 0] = x[:, 1] = x[:, 2]
    ours = PixelPCA(x, 3)(x)
    exact = PCA(3, svd_solver="full").fit_transform(pixels(x).astype("float64"))
    for a, b in zip(ours.T, exact.T, strict=True):
        assert abs(np.corrcoef(a, b)[0, 1]) > 0.999


def test_there_are_never_more_components_than_images():
    assert PixelPCA(images(9, 8), 256)(images(4, 8)).shape == (4, 9)


def test_pixels_of_a_memory_map_are_not_copied(tmp_path):
    np.save(tmp_path / "images.npy", images(5, 8))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    assert pixels(mapped).base is not None and np.shares_memory(pixels(mapped), mapped)


def test_components_are_those_of_a_random_part_of_many_images(monkeypatch):
    monkeypatch.setattr(baselines, "_PCA_IMAGES", 30)
    x = images(60, 4)
    x[:30] = 100  # of these alone there would be no component
    one, again, other = (PixelPCA(x, 2, seed)(x) for seed in (0, 0, 1))
    assert one[30:].std() > 10
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)
