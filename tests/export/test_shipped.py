"""An encoder in another process gives the same codes, to the bit."""

import pickle

import keras
import numpy as np

from dim.encoders import seed_encoder
from dim.export.onnx_codes import to_codes
from dim.export.shipped import Shipped


def test_codes_are_the_same_to_the_bit_after_the_journey(eagerly):
    keras.utils.set_random_seed(0)
    encoder = seed_encoder(16, 8)
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), "uint8")
    shipped = Shipped(encoder, 16)
    shipped(images)
    arrived = pickle.loads(pickle.dumps(shipped))
    np.testing.assert_array_equal(arrived(images), to_codes(encoder, 16)(images))


def test_another_keras_is_refused(refused):
    shipped = Shipped(seed_encoder(16, 8), 16)
    shipped.made_by = "Keras 2.1 on theano"
    with refused("Keras 2.1 on theano", "install the same there"):
        shipped(np.zeros((1, 16, 16, 3), "uint8"))
