"""The decoder: shapes for any image size, the mirror of the encoder, precision."""

import keras
import numpy as np
import pytest

from dim.encoders import FEATURE_MAP, MEAN, seed_encoder
from dim.encoders.decoder import mirrored_decoder


def encoder_of(image_size, map_side, channels, code_size=3):
    """Of no use but for its shapes."""
    images = keras.Input((image_size, image_size, 3), dtype="uint8")
    x = keras.layers.Resizing(map_side, map_side)(keras.layers.Rescaling(1 / 255)(images))
    feature_map = keras.layers.Dense(channels)(x)
    mean = keras.layers.Dense(code_size)(keras.layers.Flatten()(feature_map))
    return keras.Model(images, {FEATURE_MAP: feature_map, MEAN: mean})


@pytest.mark.parametrize(
    ("image_size", "map_side", "channels"),
    [(8, 4, 20), (27, 6, 20), (64, 10, 12), (20, 5, 6), (9, 9, 4)],
)
def test_codes_become_images_of_the_encoders_size(image_size, map_side, channels):
    decoder = mirrored_decoder(encoder_of(image_size, map_side, channels), image_size)
    pixels = decoder(np.zeros((2, 3), "float32"))
    assert pixels.shape == (2, image_size, image_size, 3)


def test_it_mirrors_the_seed_encoder():
    decoder = mirrored_decoder(seed_encoder(64, 256), 64)
    sizes = [layer.output.shape[1:] for layer in decoder.layers if isinstance(layer, keras.layers.Conv2D)]
    assert sizes == [(8, 8, 128), (16, 16, 64), (32, 32, 32), (64, 64, 3)]
    assert decoder.count_params() == 1_442_755


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_pixels_are_float32_whatever_the_layers_compute_in(precision):
    keras.config.set_dtype_policy(precision)
    decoder = mirrored_decoder(seed_encoder(16, 5), 16)
    assert "float32" in str(decoder(np.zeros((2, 5), "float32")).dtype)
    computed = {layer.compute_dtype for layer in decoder.layers if isinstance(layer, keras.layers.Dense)}
    assert computed == {precision.removeprefix("mixed_")}
    convolutions = [layer for layer in decoder.layers if isinstance(layer, keras.layers.Conv2D)]
    assert convolutions[-1].compute_dtype == "float32"


def test_images_are_nearly_grey_at_first():
    codes = np.random.default_rng(0).normal(size=(50, 5)).astype("float32")
    pixels = keras.ops.convert_to_numpy(mirrored_decoder(seed_encoder(16, 5), 16)(codes, training=True))
    assert 0 < np.abs(pixels).max() < 0.2
