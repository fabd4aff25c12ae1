"""Any functional model becomes an encoder that computes what the model does."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from dim.encoders import backbone_encoder
from dim.layers.normalisation import BatchNormalization


def small_backbone(size=9, vector=False, **normalisation):
    inputs = keras.Input((size, size, 3))
    x = layers.Conv2D(4, 3, strides=2, name="low")(inputs)
    x = layers.BatchNormalization(name="normalised", **normalisation)(x)
    x = layers.Conv2D(6, 3, activation="relu", name="high")(x)
    if vector:
        x = layers.GlobalMaxPooling2D(name="maxima")(x)
    return keras.Model(inputs, x, name="small")


@pytest.mark.parametrize("vector", [False, True])
@pytest.mark.parametrize("size", [9, None])
def test_map_and_features_are_those_of_the_model_on_scaled_pixels(size, vector, images):
    backbone = small_backbone(size, vector)
    backbone.set_weights([w + 0.1 for w in backbone.get_weights()])
    encoder = backbone_encoder(backbone, "normalised", 9, 5)
    pixels = (images(9) / 127.5 - 1).astype("float32")
    low = keras.Model(backbone.input, backbone.get_layer("normalised").output)
    high = ops.convert_to_numpy(backbone(pixels))
    features = high if vector else high.mean((1, 2))
    kernel, bias = encoder.get_layer("mean").get_weights()
    outputs = {name: ops.convert_to_numpy(y) for name, y in encoder(images(9)).items()}
    assert {name: y.shape for name, y in outputs.items()} == {
        "feature_map": (3, 4, 4, 4),
        "mean": (3, 5),
        "log_variance": (3, 5),
    }
    np.testing.assert_allclose(outputs["feature_map"], ops.convert_to_numpy(low(pixels)), atol=1e-5)
    np.testing.assert_allclose(outputs["mean"], features @ kernel + bias, atol=1e-5)


def test_a_sequential_model_will_do(images):
    backbone = keras.Sequential(
        [keras.Input((9, 9, 3)), layers.Conv2D(4, 3, name="low"), layers.Conv2D(6, 3, name="high")]
    )
    outputs = backbone_encoder(backbone, "low", 9, 5, gaussian=False)(images(9))
    assert {name: tuple(y.shape) for name, y in outputs.items()} == {
        "feature_map": (3, 7, 7, 4),
        "mean": (3, 5),
    }


def test_the_weights_of_the_model_are_copied_not_shared(images):
    backbone = small_backbone()
    encoder = backbone_encoder(backbone, "low", 9, 5)
    before = backbone.get_weights()
    encoder(images(9), training=True)
    encoder.set_weights([w + 1 for w in encoder.get_weights()])
    for old, new in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("options", "ours"), [({}, True), ({"axis": 3}, True), ({"scale": False}, False), ({"axis": 1}, False)]
)
def test_normalisation_is_ours_where_it_is_the_same_function(options, ours, images):
    backbone = small_backbone(**options)
    encoder = backbone_encoder(backbone, "normalised", 9, 5)
    layer = encoder.get_layer("small").get_layer("normalised")
    assert isinstance(layer, BatchNormalization) == ours
    pixels = (images(9) / 127.5 - 1).astype("float32")
    low = keras.Model(backbone.input, backbone.get_layer("normalised").output)
    for training in (True, False):
        np.testing.assert_allclose(
            ops.convert_to_numpy(encoder(images(9), training=training)["feature_map"]),
            ops.convert_to_numpy(low(pixels, training=training)),
            atol=1e-4,
        )


def test_an_unknown_split_layer_is_refused_with_near_names(refused):
    with refused("'small' has no layer 'normalized'", "near names: normalised"):
        backbone_encoder(small_backbone(), "normalized", 9)


def test_a_split_layer_without_a_map_is_refused(refused):
    with refused("'maxima'", "(None, 6), not a map"):
        backbone_encoder(small_backbone(vector=True), "maxima", 9)


def test_a_split_layer_of_several_outputs_is_refused(refused):
    inputs = keras.Input((9, 9, 3))
    pair = keras.Model(inputs, [layers.Conv2D(3, 3)(inputs), layers.Conv2D(3, 3)(inputs)], name="pair")
    backbone = keras.Model(inputs, layers.Add()(pair(inputs)))
    with refused("'pair'", "several outputs, not a map"):
        backbone_encoder(backbone, "pair", 9)


@pytest.mark.parametrize("size", [8, 10])
def test_a_backbone_for_images_of_another_size_is_refused(size, refused):
    with refused("'small' takes (None, 9, 9, 3)", f"not images (None, {size}, {size}, 3)"):
        backbone_encoder(small_backbone(), "low", size)


def test_a_backbone_that_takes_no_images_is_refused(refused):
    inputs = keras.Input((9,))
    with refused("takes (None, 9), not images"):
        backbone_encoder(keras.Model(inputs, layers.Dense(2)(inputs)), "dense", 9)


def test_a_backbone_of_several_inputs_is_refused(refused):
    inputs = [keras.Input((9, 9, 3)), keras.Input((9, 9, 3))]
    with refused("a functional model of one input"):
        backbone_encoder(keras.Model(inputs, layers.Add()(inputs)), "add", 9)


def test_a_backbone_that_is_not_functional_is_refused(refused):
    class Subclassed(keras.Model):
        pass

    with refused("'subclassed' must be a functional model"):
        backbone_encoder(Subclassed(name="subclassed"), "low", 9)


def test_a_backbone_that_gives_a_sequence_is_refused(refused):
    inputs = keras.Input((9, 9, 3))
    with refused("one output, a map or a vector"):
        backbone_encoder(keras.Model(inputs, layers.Reshape((81, 3))(inputs)), "reshape", 9)
