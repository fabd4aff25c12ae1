"""MS-SSIM against TensorFlow's and, at one scale, scikit-image's."""

import keras
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from dim.evaluation.ms_ssim import ms_ssim

WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])


def pairs(side, seed=0):
    """Smooth images, and the same with more and more noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (5, 4, 4, 3))
    images = np.kron(coarse, np.ones((1, -(-side // 4), -(-side // 4), 1)))[:, :side, :side]
    noise = rng.normal(0, 1, images.shape) * np.array([0, 5, 20, 60, 200])[:, None, None, None]
    return images.round().astype("uint8"), np.clip(images + noise, 0, 255).round().astype("uint8")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the reference is TensorFlow's")
@pytest.mark.parametrize(("side", "scales"), [(64, 3), (32, 2), (180, 5)])
def test_it_is_tensorflows_with_as_many_scales_as_fit(side, scales):
    import tensorflow as tf

    images, others = pairs(side)
    weights = WEIGHTS[:scales] / WEIGHTS[:scales].sum()
    expected = tf.image.ssim_multiscale(images, others, 255, power_factors=weights.tolist()).numpy()
    np.testing.assert_allclose(ms_ssim(images, others), expected, atol=2e-4)


def test_at_one_scale_it_is_scikit_images():
    images, others = pairs(16)
    for ours, a, b in zip(ms_ssim(images, others), images, others, strict=True):
        options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        _, full = structural_similarity(a, b, channel_axis=2, data_range=255, full=True, **options)
        assert ours == pytest.approx(full[5:-5, 5:-5].mean(axis=(0, 1)).mean(), abs=1e-4)


def test_equal_images_score_one_and_noise_lowers_it_step_by_step():
    scores = ms_ssim(*pairs(64))
    assert scores[0] == pytest.approx(1)
    assert (np.diff(scores) < 0).all()


@pytest.mark.parametrize(
    ("images", "others"), [((2, 10, 64, 3), (2, 10, 64, 3)), ((2, 64, 64, 3), (1, 64, 64, 3))]
)
def test_images_too_small_or_of_different_shapes_are_refused(images, others):
    with pytest.raises(ValueError, match="images must"):
        ms_ssim(np.zeros(images), np.zeros(others))
