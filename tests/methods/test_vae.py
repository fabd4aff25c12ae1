"""The variational autoencoder: its loss against loops, what it reconstructs, what it samples."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from dim.encoders import FEATURE_MAP, LOG_VARIANCE, MEAN, seed_encoder
from dim.encoders.decoder import mirrored_decoder
from dim.layers.random_view import RandomView
from dim.methods import VariationalAutoencoder
from dim.methods.vae import SIGMA, gaussian_pixel_loss

S, D, B = 16, 5, 4


def images(count=B):
    return np.random.default_rng(0).integers(0, 256, (count, S, S, 3), "uint8")


def value(x):
    return float(ops.convert_to_numpy(x))


def small(**options):
    encoder = seed_encoder(S, D)
    model = VariationalAutoencoder(encoder, mirrored_decoder(encoder, S), **options)
    model.build((None, S, S, 3))
    return model


def test_the_pixel_loss_is_that_of_a_loop():
    rng = np.random.default_rng(1)
    x, guess = rng.integers(0, 256, (2, 3, 4, 3), "uint8"), rng.normal(size=(2, 3, 4, 3))
    expected = np.zeros(2)
    for b, h, w, c in np.ndindex(2, 3, 4, 3):
        pixel = x[b, h, w, c] / 127.5 - 1
        density = math.exp(-0.5 * ((pixel - guess[b, h, w, c]) / SIGMA) ** 2) / math.sqrt(2 * math.pi) / SIGMA
        expected[b] -= math.log(density)
    result = ops.convert_to_numpy(gaussian_pixel_loss(x, guess.astype("float32")))
    assert result.dtype == "float32"
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_a_perfect_reconstruction_has_the_least_pixel_loss():
    pixels = (images() / 127.5 - 1).astype("float32")
    least = ops.convert_to_numpy(gaussian_pixel_loss(images(), pixels))
    np.testing.assert_allclose(least / (3 * S * S), -0.4674, atol=1e-4)
    assert (ops.convert_to_numpy(gaussian_pixel_loss(images(), 0.9 * pixels)) > least).all()


def test_the_loss_is_the_negative_evidence_lower_bound_computed_apart():
    model = small(beta=0.3)
    outputs = {name: ops.convert_to_numpy(x) for name, x in model(images(), training=False).items()}
    mean, log_variance = outputs[MEAN].astype("float64"), outputs[LOG_VARIANCE].astype("float64")
    kl = sum(
        (m**2 + math.exp(v) - 1 - v) / 2 for m, v in zip(mean.ravel(), log_variance.ravel(), strict=True)
    )
    pixels = ops.convert_to_numpy(model.decoder(outputs[MEAN], training=False)).astype("float64")
    error = (((images() / 127.5 - 1 - pixels) / SIGMA) ** 2).sum() / 2
    constant = B * 3 * S * S * math.log(SIGMA * math.sqrt(2 * math.pi))
    loss = model.compute_loss(x=images(), y_pred=model(images(), training=False), training=False)
    assert value(loss) == pytest.approx((error + constant + 0.3 * kl) / (B * 3 * S * S), rel=1e-5)
    assert value(model.terms["kl"].result()) == pytest.approx(kl / B, rel=1e-4)


def test_codes_are_sampled_in_training_and_means_elsewhere():
    model, decoded = small(), []
    model.decoder.call = lambda code, training=None, mask=None: (
        decoded.append(code) or ops.zeros((ops.shape(code)[0], S, S, 3))
    )
    y_pred = {
        MEAN: ops.full((4000, D), 3.0),
        LOG_VARIANCE: ops.full((4000, D), math.log(4.0)),
        "images": np.zeros((4000, S, S, 3), "uint8"),
    }
    for training in True, False:
        model.compute_loss(x=y_pred["images"], y_pred=y_pred, training=training)
    sampled, plain = (ops.convert_to_numpy(code) for code in decoded)
    assert sampled.mean() == pytest.approx(3, abs=0.1) and sampled.std() == pytest.approx(2, abs=0.1)
    assert (plain == 3).all()


def test_what_is_reconstructed_is_what_was_seen():
    turned = small(augmentation=RandomView(seed=4))
    outputs = turned(images(), training=True)
    seen = ops.convert_to_numpy(outputs["images"])
    assert seen.shape == (B, S, S, 3) and (seen != images()).any()
    perfect = (seen / 127.5 - 1).astype("float32")
    turned.decoder.call = lambda code, training=None, mask=None: ops.convert_to_tensor(perfect)
    turned.compute_loss(x=images(), y_pred=outputs, training=True)
    assert value(turned.terms["reconstruction"].result()) == pytest.approx(-0.4674 * 3 * S * S, rel=1e-3)


def test_an_encoder_without_a_log_variance_is_refused(refused):
    encoder = seed_encoder(S, D)
    plain = keras.Model(encoder.input, {name: encoder.output[name] for name in (MEAN, FEATURE_MAP)})
    with refused("Gaussian posterior"):
        VariationalAutoencoder(plain, mirrored_decoder(plain, S))


def test_outside_training_an_image_is_encoded_as_it_is():
    model = small(augmentation=RandomView(seed=4))
    found, expected = (m(images(), training=False) for m in (model, model.encoder))
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_array_equal(*(ops.convert_to_numpy(x[name]) for x in (found, expected)))
