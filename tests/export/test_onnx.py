"""ONNX computes the codes of the encoder."""

import keras
import numpy as np
import onnxruntime
import pytest

from dim.encoders import backbone_encoder, seed_encoder
from dim.export.onnx import check_onnx, write_onnx

only_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="Keras exports ONNX by way of TensorFlow"
)


def small_backbone():
    images = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="split")(images)
    x = keras.layers.BatchNormalization()(keras.layers.AveragePooling2D(2)(x))
    return backbone_encoder(keras.Model(images, x), "split", image_size=16, code_size=5)


@only_tensorflow
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("make", [lambda: seed_encoder(16, 5), small_backbone], ids=["seed", "backbone"])
def test_onnx_computes_the_codes_of_the_encoder_for_batches_of_any_size(make, policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    encoder = make()
    for i, weight in enumerate(encoder.weights):  # moving averages of 0 and 1 would hide a mistake
        noise = np.random.default_rng(i).uniform(0, 0.2, weight.shape)
        weight.assign(weight + noise.astype("float32"))
    assert write_onnx(tmp_path / "ü encoder.onnx", encoder, 16) <= 1e-4
    session = onnxruntime.InferenceSession(tmp_path / "ü encoder.onnx", providers=["CPUExecutionProvider"])
    assert (session.get_inputs()[0].type, len(session.get_outputs())) == ("tensor(uint8)", 1)
    for count in 1, 7:
        images = np.random.default_rng(1).integers(0, 256, (count, 16, 16, 3), "uint8")
        (codes,) = session.run(None, {session.get_inputs()[0].name: images})
        expected = encoder(images)["mean"]
        np.testing.assert_allclose(codes, expected, atol=0.05 * np.abs(expected).max())


@only_tensorflow
def test_a_file_that_computes_other_codes_is_refused(tmp_path, refused):
    write_onnx(tmp_path / "encoder.onnx", seed_encoder(16, 5), 16)
    images = keras.Input((16, 16, 3), dtype="uint8")
    with refused("encoder.onnx", "do not use it"):
        check_onnx(tmp_path / "encoder.onnx", keras.Model(images, seed_encoder(16, 5)(images)["mean"]))


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="TensorFlow can")
def test_other_backends_say_which_one_can(tmp_path, refused):
    with refused("KERAS_BACKEND=tensorflow"):
        write_onnx(tmp_path / "encoder.onnx", seed_encoder(16, 5), 16)
