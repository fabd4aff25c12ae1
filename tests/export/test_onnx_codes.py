"""Codes by ONNX Runtime are those of Keras."""

import keras
import numpy as np
import pytest

from dim.encoders import seed_encoder
from dim.encoders.embedding import embed_batch
from dim.export import onnx_codes
from dim.export.onnx_codes import to_codes

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 16, 16, 3), "uint8")


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_codes_are_those_of_keras_for_batches_of_any_size(policy):
    keras.config.set_dtype_policy(policy)
    encoder = seed_encoder(16, 5)
    for i, weight in enumerate(encoder.weights):  # moving averages of 0 and 1 would hide a mistake
        noise = np.random.default_rng(i).uniform(0, 0.2, weight.shape)
        weight.assign(weight + noise.astype("float32"))
    codes_of = to_codes(encoder, 16)
    for batch in IMAGES, IMAGES[:1]:
        found, expected = codes_of(batch), embed_batch(encoder, batch)
        assert found.dtype == "float32" and found.shape == (len(batch), 5)
        np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_onnx_is_for_float32_by_tensorflow_on_processors(policy, monkeypatch):
    written, write = [], onnx_codes.write_onnx

    def noted(file, *rest):
        written.append(file)
        write(file, *rest)

    monkeypatch.setattr(onnx_codes, "write_onnx", noted)
    keras.config.set_dtype_policy(policy)
    to_codes(seed_encoder(16, 5), 16)
    quicker = policy == "float32" and keras.backend.backend() == "tensorflow"
    assert len(written) == quicker and not any(file.exists() for file in written)
    monkeypatch.setattr(onnx_codes, "gpu", lambda: ("a card", (9, 0)))
    to_codes(seed_encoder(16, 5), 16)
    assert len(written) == quicker
