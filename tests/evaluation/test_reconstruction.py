"""The decoder draws what the code holds, and nothing else."""

import numpy as np
from keras import layers

from dim.encoders.ends import scaled_images, split_here, with_posterior
from dim.evaluation import reconstruction
from dim.evaluation.reconstruction import reconstructions


def test_what_the_code_holds_is_drawn_again_and_the_encoder_stays(monkeypatch):
    """Codes that hold the grey level: images of known grey come out near it, from codes never seen."""
    monkeypatch.setattr(reconstruction, "STEPS", 400)
    rng = np.random.default_rng(0)
    pictures, x = scaled_images("small", 16, least=1)
    feature_map = split_here(layers.Conv2D(32, 4, strides=4)(x))
    encoder = with_posterior(
        pictures, feature_map, layers.GlobalMaxPooling2D()(feature_map), 4, gaussian=False
    )
    before = [weight.copy() for weight in encoder.get_weights()]
    grey = rng.integers(20, 236, 400)
    images = np.broadcast_to(grey[:, None, None, None], (400, 16, 16, 3)).astype("uint8")
    codes = (rng.normal(0, 0.1, (400, 4)) + (grey[:, None] - 128) / 60).astype("float32")
    drawn = reconstructions(encoder, codes[:300], images[:300], codes[300:])
    assert drawn.shape == (100, 16, 16, 3) and drawn.dtype == "uint8"
    error = np.abs(drawn.astype(float) - images[300:]).mean()
    assert error < 0.4 * np.abs(grey[300:] - grey[300:].mean()).mean()
    for weight, old in zip(encoder.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_the_seed_decides_weights_and_order(monkeypatch):
    monkeypatch.setattr(reconstruction, "STEPS", 1)
    pictures, x = scaled_images("small", 8, least=1)
    feature_map = split_here(layers.Conv2D(4, 4, strides=4)(x))
    encoder = with_posterior(
        pictures, feature_map, layers.GlobalMaxPooling2D()(feature_map), 4, gaussian=False
    )
    codes = np.random.default_rng(0).normal(0, 30, (60, 4)).astype("float32")
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), "uint8")
    few = codes[:40], images[:40]  # all in one batch, in the same order whatever the seed
    one, again, other = (reconstructions(encoder, *few, codes[:9], seed) for seed in (3, 3, 4))
    np.testing.assert_allclose(one.astype(int), again, atol=1)
    assert np.abs(one.astype(int) - other).max() > 1
    order = [reconstruction._batches(codes, images, seed)[0][0] for seed in (3, 4)]
    assert (order[0] != order[1]).any()
