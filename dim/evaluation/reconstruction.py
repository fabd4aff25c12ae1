"""What an image's code lets a decoder draw again."""

import keras
import numpy as np

from dim.data.batches import let_go
from dim.encoders.decoder import mirrored_decoder
from dim.evaluation.evaluator import DEPENDENCE, ENCODER, TRAINING, Column, Evaluator, Features
from dim.evaluation.ms_ssim import WINDOW, ms_ssim

STEPS, _BATCH = 150, 50
_MOST = 1000


def reconstructions(
    encoder: keras.Model, codes: np.ndarray, images: np.ndarray, val_codes: np.ndarray, seed: int = 0
) -> np.ndarray:
    """Trains a decoder from frozen codes to images by squared error, and decodes other codes.

    Hjelm et al. 2019, section 4.1, train one so and report the MS-SSIM of what it draws. The decoder is
    the encoder's mirror and sees 150 batches of 50 with Adam 1e-3; more of them would draw sharper.

    Args:
        encoder: that the codes come from; it stays as it is.
        codes: [N, D] float32 of the training images.
        images: [N, H0, W0, 3] uint8, memory-mapped or not.
        val_codes: [Q, D] float32.
        seed: of initial weights and order.

    Returns:
        [Q, H0, W0, 3] uint8.
    """
    keras.utils.set_random_seed(seed)
    decoder = mirrored_decoder(encoder)
    decoder.compile(keras.optimizers.Adam(1e-3), "mean_squared_error")
    batches = _CodesAndImages(codes, images, seed)
    decoder.fit(batches, steps_per_epoch=STEPS, shuffle=False, verbose=0)
    let_go(batches)
    pixels = decoder.predict(val_codes, batch_size=_BATCH, verbose=0)
    return np.clip(np.round((pixels + 1) * 127.5), 0, 255).astype("uint8")


class _CodesAndImages(keras.utils.PyDataset):
    """An endless sequence of random batches, pixels scaled to [-1, 1]."""

    def __init__(self, codes, images, seed):
        super().__init__(workers=2, max_queue_size=2)
        self.codes, self.images, self.seed = codes, images, seed

    @property
    def num_batches(self):
        return None

    def __getitem__(self, index):
        rng = np.random.default_rng([self.seed, index])
        rows = np.sort(rng.choice(len(self.codes), min(_BATCH, len(self.codes)), replace=False))
        return self.codes[rows], np.asarray(self.images[rows], "float32") / 127.5 - 1


def _measured(features: Features) -> dict[str, float]:
    """Of at most 1,000 validation images."""
    dataset = features.dataset
    if dataset.image_size < WINDOW:
        features.note(f"MS-SSIM needs images of at least {WINDOW} pixels")
        return {}
    drawn = reconstructions(
        features.encoder, features.train, dataset.train.images, features.val[:_MOST], features.seed
    )
    return {"ms_ssim": float(ms_ssim(np.asarray(dataset.val.images[:_MOST]), drawn).mean())}


_COLUMNS = (Column("ms_ssim", "MS-SSIM"),)
_ABOUT = (
    "- MS-SSIM: of validation images and what a decoder draws from their codes after 150 steps of training."
)
RECONSTRUCTIONS = Evaluator("decoder", DEPENDENCE, {ENCODER, TRAINING}, _measured, _COLUMNS, _ABOUT)
