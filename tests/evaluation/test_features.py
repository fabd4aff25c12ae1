"""Features are what the encoder computes at three depths; the baseline is scikit-learn's PCA."""

import keras
import numpy as np
import pytest

from dim.encoders import ENCODERS
from dim.encoders.embedding import embed
from dim.evaluation import features
from dim.evaluation.features import at_three_depths, extract


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
