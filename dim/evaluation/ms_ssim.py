"""Multi-scale structural similarity."""

import numpy as np
from scipy.ndimage import gaussian_filter

_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW, _SIGMA = 11, 1.5
_BLOCK = 100  # images at once
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ms_ssim(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How alike two images are in structure at several scales, 1 for equal ones.

        l_M^w_M · Π over scales j of  cs_j^w_j

    with luminance l and contrast-structure cs as means over windows of 11×11 pixels, a Gaussian of 1.5
    pixels (Wang, Simoncelli and Bovik 2003, eq. 7, their weights w). Each scale halves the side. Of the
    five scales as many are taken as have room for a window, with weights that are made to sum to 1
    again: three for 64 pixels, five from 176 on. A negative mean counts as 0. Channels are averaged last.

    Takes both images as [N, H0, W0, 3] between 0 and 255 of any type; returns [N] float64. Raises ValueError
    if the shapes differ, or a side is smaller than 11 pixels.
    """
    if images.shape != others.shape or images.ndim != 4:
        raise ValueError(f"images must be two arrays [N, H, W, 3], not {images.shape} and {others.shape}")
    side = min(images.shape[1:3])
    if side < WINDOW:
        raise ValueError(f"images must have sides of {WINDOW} pixels or more, not {side}")
    scales = min(len(_WEIGHTS), 1 + int(np.log2(side / WINDOW)))
    weights = np.array(_WEIGHTS[:scales]) / sum(_WEIGHTS[:scales])
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(images), _BLOCK)]
    return np.concatenate([_of_block(images[rows], others[rows], weights) for rows in blocks])


def _of_block(images: np.ndarray, others: np.ndarray, weights: np.ndarray) -> np.ndarray:
    a, b = np.asarray(images, "float32"), np.asarray(others, "float32")
    product = 1.0
    for scale, weight in enumerate(weights):
        if scale:
            a, b = _halved(a), _halved(b)
        luminance, structure = _similarities(a, b)
        if scale == len(weights) - 1:
            structure = luminance * structure
        product = product * np.maximum(structure.mean(axis=(1, 2), dtype="float64"), 0) ** weight
    return product.mean(axis=1)


def _similarities(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Luminance and contrast-structure at every place that a whole window fits around."""
    mean_a, mean_b = _blurred(a), _blurred(b)
    variance_a = _blurred(a * a) - mean_a**2
    variance_b = _blurred(b * b) - mean_b**2
    covariance = _blurred(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + _C1) / (mean_a**2 + mean_b**2 + _C1)
    return luminance, (2 * covariance + _C2) / (variance_a + variance_b + _C2)


def _blurred(x: np.ndarray) -> np.ndarray:
    radius = WINDOW // 2
    return gaussian_filter(x, _SIGMA, radius=radius, axes=(1, 2))[:, radius:-radius, radius:-radius]


def _halved(x: np.ndarray) -> np.ndarray:
    """Means of 2×2 pixels; an odd last row or column is left out."""
    x = x[:, : x.shape[1] // 2 * 2, : x.shape[2] // 2 * 2]
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4
