"""A copy made of other layers computes the same."""

import keras
import numpy as np
import pytest
from keras import ops

from dim.encoders import in_float32, in_plain_keras, seed_encoder
from dim.layers.normalisation import BatchNormalization


def layers_within(model):
    for layer in model.layers:
        yield from layers_within(layer) if isinstance(layer, keras.Model) else (layer,)


@pytest.mark.parametrize(("training", "tolerance"), [(False, 2e-4), (True, 2e-3)])
def test_in_plain_keras_no_layer_is_ours_and_the_outputs_are(encoder, size, images, training, tolerance):
    plain = in_plain_keras(encoder)
    ours = [layer for layer in layers_within(encoder) if isinstance(layer, BatchNormalization)]
    theirs = [layer for layer in layers_within(plain) if type(layer) is keras.layers.BatchNormalization]
    assert len(ours) == len(theirs) > 0
    assert all(type(layer).__module__.startswith("keras.") for layer in layers_within(plain))
    assert "dim>" not in plain.to_json()  # nothing of ours is asked for when it is loaded
    batch = images(size, count=12)  # of few, batch normalisation amplifies rounding
    expected, found = encoder(batch, training=training), plain(batch, training=training)
    assert expected.keys() == found.keys()
    for name in expected:
        one, other = (ops.convert_to_numpy(outputs[name]) for outputs in (expected, found))
        np.testing.assert_allclose(one, other, atol=tolerance)


def test_the_copy_has_weights_of_its_own(encoder):
    before = encoder.get_weights()
    plain = in_plain_keras(encoder)
    plain.set_weights([weight + 1 for weight in before])
    for old, new in zip(before, encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_in_float32_every_layer_computes_so():
    keras.config.set_dtype_policy("mixed_bfloat16")
    copy = in_float32(seed_encoder(8, 5))
    assert {layer.compute_dtype for layer in copy.layers if layer.weights} == {"float32"}
