"""Features are what the encoder computes at three depths; the baseline is scikit-learn's PCA."""

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA

from dim.encoders import ENCODERS
from dim.encoders.embedding import embed
from dim.evaluation import features
from dim.evaluation.features import PixelPCA, at_three_depths, extract, pixels


def images(N, side):
    return np.random.default_rng(0).integers(0, 256, (N, side, side, 3), "uint8")


@pytest.mark.parametrize(
    ("encoder", "side", "lengths"),
    [
        ("seed", 16, (4 * 4 * 256, 256)),
        ("basic32", 16, (2 * 2 * 256, 1024)),
        ("resnet18", 16, (4 * 4 * 256, 512)),
    ],
)
def test_depths_have_the_lengths_of_their_layers_and_the_code_is_the_code(encoder, side, lengths):
    network = ENCODERS[encoder](side, 6)
    found = extract(at_three_depths(network), images(5, side))
    assert tuple(x.shape for x in found.values()) == tuple((5, length) for length in (*lengths, 6))
    np.testing.assert_allclose(found["code"], embed(network, images(5, side)), atol=1e-5)


def test_blocks_and_batches_change_nothing(monkeypatch):
    model = at_three_depths(ENCODERS["seed"](16, 6))
    expected = extract(model, images(23, 16))
    monkeypatch.setattr(features, "_BLOCK", 7)
    for name, values in extract(model, images(23, 16), batch_size=3).items():
        np.testing.assert_allclose(values, expected[name], atol=1e-5)


def test_features_are_float32_whatever_the_encoder_computes_in():
    keras.config.set_dtype_policy("mixed_bfloat16")
    for values in extract(at_three_depths(ENCODERS["seed"](16, 6)), images(3, 16)).values():
        assert values.dtype == "float32"


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
    monkeypatch.setattr(features, "_PCA_IMAGES", 30)
    x = images(60, 4)
    x[:30] = 100  # of these alone there would be no component
    one, again, other = (PixelPCA(x, 2, seed)(x) for seed in (0, 0, 1))
    assert one[30:].std() > 10
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)
