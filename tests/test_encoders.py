"""Encoders: shapes, parameter counts, modes, precision, and saving without this package."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from dim.encoders import ENCODERS, in_plain_keras, seed_encoder
from dim.errors import DimError


def images(count=3, size=16):
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), "uint8")


@pytest.mark.parametrize(("size", "parameters"), [(64, 1_704_128), (32, 1_686_400)])
def test_the_seed_encoder_has_the_parameters_of_the_original(size, parameters):
    assert seed_encoder(size, 256).count_params() == parameters


@pytest.mark.parametrize(("size", "side"), [(8, 4), (16, 4), (32, 4), (48, 6), (64, 4), (96, 6)])
def test_the_map_has_a_side_of_four_to_seven(size, side):
    shapes = {name: output.shape for name, output in seed_encoder(size, 5).output.items()}
    assert shapes == {"feature_map": (None, side, side, 256), "mean": (None, 5), "log_variance": (None, 5)}


def test_a_tiny_image_is_refused_in_one_line():
    with pytest.raises(DimError, match="at least 8 pixels, not 7"):
        seed_encoder(7)


@pytest.mark.parametrize("encoder", ENCODERS.values())
def test_batch_statistics_move_in_training_only(encoder):
    model = encoder(16, 5)
    before = [ops.convert_to_numpy(w) for w in model.non_trainable_weights]
    model(images(), training=False)
    for old, new in zip(before, model.non_trainable_weights, strict=True):
        np.testing.assert_array_equal(old, ops.convert_to_numpy(new))
    model(images(), training=True)
    for old, new in zip(before, model.non_trainable_weights, strict=True):
        assert not np.allclose(old, ops.convert_to_numpy(new))


@pytest.mark.parametrize("encoder", ENCODERS.values())
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_the_posterior_is_float32_in_any_precision(encoder, precision):
    keras.config.set_dtype_policy(precision)
    outputs = encoder(16, 5)(images())
    assert "float32" in str(outputs["mean"].dtype) and "float32" in str(outputs["log_variance"].dtype)
    assert np.isfinite(ops.convert_to_numpy(outputs["mean"])).all()


def test_uint8_is_scaled_inside_to_minus_one_to_one():
    encoder = seed_encoder(16, 5)
    scaled = keras.Model(encoder.input, encoder.layers[1].output)
    extremes = np.stack([np.zeros((16, 16, 3), "uint8"), np.full((16, 16, 3), 255, "uint8")])
    np.testing.assert_allclose(ops.convert_to_numpy(scaled(extremes))[:, 0, 0, 0], [-1, 1], atol=1e-6)


@pytest.mark.parametrize("encoder", ENCODERS.values())
def test_an_exported_encoder_loads_in_plain_keras_and_gives_the_same_codes(encoder, tmp_path):
    model = encoder(16, 5)
    model(images(), training=True)
    in_plain_keras(model).save(tmp_path / "encoder.keras")
    np.save(tmp_path / "images.npy", images())
    program = (
        "import sys, keras, numpy as np;"
        "encoder = keras.saving.load_model('encoder.keras');"
        "np.save('codes.npy', encoder.predict(np.load('images.npy'), verbose=0)['mean']);"
        "assert 'dim' not in sys.modules"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, env=environment)
    codes = ops.convert_to_numpy(model(images())["mean"])
    np.testing.assert_allclose(np.load(tmp_path / "codes.npy"), codes, atol=1e-5)
