"""What every code has to beat: raw pixels, their principal components, and the same encoder untrained.

The weights of the last are the initial ones. But a network that never saw an image normalises by means 0 and
variances 1 that have nothing to do with its activations, and any training repairs that before anything is
learned. So the baseline is calibrated: the statistics of its batch normalisation are measured, no weight
is changed and no label is seen.
"""

from collections.abc import Iterable, Iterator

import keras
import numpy as np

from dim.configuration import Configuration
from dim.data.batches import Batches
from dim.methods.build import build_encoder

BATCHES = 40
SEEDS = range(10)  # where an untrained encoder costs seconds, it is measured with each of these
_BLOCK, _PCA_IMAGES = 1000, 5000


def untrained_encoder(configuration: Configuration, images: np.ndarray) -> keras.Model:
    """The encoder that a run starts from, calibrated on its training images, [N, H0, W0, 3] uint8."""
    return calibrated(build_encoder(configuration), images, configuration.batch_size, configuration.seed)


def untrained_encoders(
    configuration: Configuration, images: np.ndarray, seeds: Iterable[int]
) -> Iterator[tuple[int, keras.Model]]:
    """The same with other seeds in place of the configuration's: pairs of a seed and the encoder.

    It is one and the same model with other weights each time, since every new one would be traced anew;
    use it before the next is asked for.
    """
    encoder = None
    for seed in seeds:
        other = build_encoder(configuration, seed)
        encoder = encoder or other
        encoder.set_weights(other.get_weights())
        yield seed, calibrated(encoder, images, configuration.batch_size, seed)


def calibrated(encoder: keras.Model, images: np.ndarray, batch_size: int, seed: int) -> keras.Model:
    """Sets the moving statistics of an encoder's batch normalisation to what images have; returns it.

    The images, [N, H0, W0, 3] uint8, go through as in training, each batch normalised by its own statistics,
    and every moving mean and variance becomes the mean of those of all batches. These are the first 40, or as
    many as there are, of the first epoch that a run with this seed sees, without random views. Weights stay
    what they are; an encoder without batch normalisation does not change at all.
    """
    kind = keras.layers.BatchNormalization
    layers = [layer for layer in encoder._flatten_layers() if isinstance(layer, kind) and layer.trainable]
    if not layers:
        return encoder
    momenta = [layer.momentum for layer in layers]
    batches = Batches(images, min(batch_size, len(images)), seed)
    try:
        for count in range(min(BATCHES, batches.steps_per_epoch)):
            for layer in layers:
                layer.momentum = count / (count + 1)  # what makes a moving average the mean of all so far
            encoder(*batches[count], training=True)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
    return encoder


def pixels(images: np.ndarray) -> np.ndarray:
    """[N, H0, W0, 3] to [N, H0·W0·3], without a copy."""
    return images.reshape(len(images), -1)


class PixelPCA:
    """The first principal components of pixels, from at most 5,000 random images [N, H0, W0, 3] uint8.

    There are never more of them than images or pixels. The seed is that of the sample and of the randomised
    decomposition.
    """

    def __init__(self, images: np.ndarray, components: int, seed: int = 0):
        from sklearn.decomposition import PCA

        rows = np.random.default_rng(seed).permutation(len(images))[:_PCA_IMAGES]
        sample = pixels(np.asarray(images[np.sort(rows)])).astype("float32")
        count = min(components, *sample.shape)
        self._pca = PCA(count, copy=False, svd_solver="randomized", random_state=seed).fit(sample)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """[N, H0, W0, 3] uint8 to [N, components] float32."""
        blocks = (pixels(np.asarray(images[i : i + _BLOCK])) for i in range(0, len(images), _BLOCK))
        return np.concatenate([self._pca.transform(block.astype("float32")) for block in blocks])
