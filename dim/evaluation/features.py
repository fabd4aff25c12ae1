"""What is evaluated: an encoder's features at three depths, and what they have to beat."""

import keras
import numpy as np

from dim.data.batches import InOrder
from dim.encoders import FEATURE_MAP, FEATURES, MEAN

CONV, HIDDEN, CODE = "conv", "hidden", "code"
DEPTHS = (CONV, HIDDEN, CODE)
_BLOCK = 1000  # images whose features are in memory twice
_PCA_IMAGES = 5000


def at_three_depths(encoder: keras.Model) -> keras.Model:
    """A model from images to the flattened map, the last hidden layer and the code, as in the paper.

    `conv` is the layer of that name, the last map of the paper's two encoders, and the feature map of
    encoders without one.

    Args:
        encoder: any of `dim.encoders`.

    Returns:
        A model from images [B, H0, W0, 3] uint8 to a dictionary of `conv`, `hidden` and `code`, each
        [B, F] float32.
    """
    names = {layer.name for layer in encoder.layers}
    outputs = {
        CONV: encoder.get_layer(CONV if CONV in names else FEATURE_MAP).output,
        HIDDEN: encoder.get_layer(FEATURES).output,
        CODE: encoder.output[MEAN],
    }
    flat = {name: keras.layers.Flatten(dtype="float32")(x) for name, x in outputs.items()}
    return keras.Model(encoder.input, flat)


def extract(model: keras.Model, images: np.ndarray, batch_size: int = 125) -> dict[str, np.ndarray]:
    """The features of all images.

    Args:
        model: of `at_three_depths`.
        images: [N, H0, W0, 3] uint8, memory-mapped or not.
        batch_size: how many to encode at once.

    Returns:
        name → [N, F] float32.
    """
    features = {
        name: np.empty((len(images), output.shape[1]), "float32") for name, output in model.output.items()
    }
    for start in range(0, len(images), _BLOCK):
        block = slice(start, start + _BLOCK)
        outputs = model.predict(InOrder(images[block], batch_size), verbose=0)
        for name, values in outputs.items():
            features[name][block] = values
    return features


def pixels(images: np.ndarray) -> np.ndarray:
    """[N, H0, W0, 3] to [N, H0·W0·3], without a copy."""
    return images.reshape(len(images), -1)


class PixelPCA:
    """The first principal components of pixels, from at most 5,000 random images.

    Args:
        images: [N, H0, W0, 3] uint8.
        components: how many; never more than images or pixels.
        seed: of the sample and of the randomised decomposition.
    """

    def __init__(self, images: np.ndarray, components: int, seed: int = 0):
        from sklearn.decomposition import PCA

        rows = np.random.default_rng(seed).permutation(len(images))[:_PCA_IMAGES]
        sample = pixels(np.asarray(images[np.sort(rows)])).astype("float32")
        self._pca = PCA(
            min(components, *sample.shape), copy=False, svd_solver="randomized", random_state=seed
        )
        self._pca.fit(sample)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """[N, H0, W0, 3] uint8 to [N, components] float32."""
        blocks = (pixels(np.asarray(images[i : i + _BLOCK])) for i in range(0, len(images), _BLOCK))
        return np.concatenate([self._pca.transform(block.astype("float32")) for block in blocks])
