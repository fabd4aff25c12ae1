"""Codes come out in order, complete, and as the encoder gives them."""

import numpy as np
import pytest
from keras import ops

from dim.encoders import seed_encoder
from dim.encoders.embedding import embed, fingerprint, posterior


@pytest.mark.parametrize("count", [1, 4, 7])
def test_codes_are_the_means_of_the_encoder_in_order_with_a_smaller_last_batch(count):
    encoder = seed_encoder(16, 5)
    images = np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), "uint8")
    outputs = encoder(images, training=False)
    mean, log_variance = posterior(encoder, images, batch_size=3)
    np.testing.assert_allclose(mean, ops.convert_to_numpy(outputs["mean"]), atol=1e-5)
    np.testing.assert_allclose(log_variance, ops.convert_to_numpy(outputs["log_variance"]), atol=1e-5)
    np.testing.assert_array_equal(embed(encoder, images, batch_size=3), mean)
    assert mean.shape == (count, 5) and mean.dtype == np.float32


def test_codes_follow_the_weights_of_the_encoder():
    encoder = seed_encoder(16, 5)
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), "uint8")
    before = embed(encoder, images)
    encoder.set_weights([w + 0.1 for w in encoder.get_weights()])
    assert not np.allclose(before, embed(encoder, images))


def test_an_encoder_without_a_posterior_has_codes_only():
    encoder = seed_encoder(16, 5, gaussian=False)
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), "uint8")
    (mean,) = posterior(encoder, images)
    assert mean.shape == (4, 5)
    np.testing.assert_array_equal(embed(encoder, images), mean)


def test_the_fingerprint_is_that_of_every_weight():
    encoder = seed_encoder(8, 5)
    weights = encoder.get_weights()
    before = fingerprint(encoder)
    assert len(before) == 64 and fingerprint(seed_encoder(8, 5)) != before
    for i in 0, len(weights) // 2, len(weights) - 1:
        encoder.set_weights([w + (j == i) for j, w in enumerate(weights)])
        assert fingerprint(encoder) != before
    encoder.set_weights(weights)
    assert fingerprint(encoder) == before
