"""What an image's code lets a decoder draw again."""

import keras
import numpy as np

from dim.data.batches import Made, let_go
from dim.encoders.decoder import mirrored_decoder
from dim.evaluation.evaluator import DEPENDENCE, ENCODER, TRAINING, Column, Evaluator, Features
from dim.evaluation.ms_ssim import WINDOW, ms_ssim

STEPS, _BATCH = 150, 50
_MOST = 1000


def reconstructions(
    encoder: keras.Model, codes: np.ndarray, images: np.ndarray, val_codes: np.ndarray, seed: int = 0
) -> np.ndarray:
    """Trains a decoder from codes to images by squared error, and decodes others: [Q, H0, W0, 3] uint8.

    Hjelm et al. 2019, section 4.1, train one so and report the MS-SSIM of what it draws. The decoder is
    the encoder's mirror and sees 150 batches of 50 with Adam 1e-3; more of them would draw sharper. It learns
    from codes [N, D] and images [N, H0, W0, 3] uint8, and is then given val_codes [Q, D].
    """
    keras.utils.set_random_seed(seed)
    decoder = mirrored_decoder(encoder, images.shape[1])
    decoder.compile(keras.optimizers.Adam(1e-3), "mean_squared_error")
    batches = _batches(codes, images, seed)
    decoder.fit(batches, steps_per_epoch=STEPS, shuffle=False, verbose=0)
    let_go(batches)
    pixels = decoder.predict(val_codes, batch_size=_BATCH, verbose=0)
    return np.clip(np.round((pixels + 1) * 127.5), 0, 255).astype("uint8")


def _batches(codes: np.ndarray, images: np.ndarray, seed: int) -> Made:
    """Random ones without end, pixels scaled to [-1, 1]."""

    def batch(index: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([seed, index])
        rows = np.sort(rng.choice(len(codes), min(_BATCH, len(codes)), replace=False))
        return codes[rows], np.asarray(images[rows], "float32") / 127.5 - 1

    return Made(batch)


def _measured(features: Features) -> dict[str, float]:
    dataset = features.dataset
    if dataset.image_size < WINDOW:
        features.note(f"MS-SSIM needs images of at least {WINDOW} pixels")
        return {}
    known, asked = (features.train, dataset.train.images), features.val[:_MOST]
    drawn = reconstructions(features.encoder, *known, asked, features.seed)
    return {"ms_ssim": float(ms_ssim(np.asarray(dataset.val.images[:_MOST]), drawn).mean())}


_COLUMNS = (Column("ms_ssim", "MS-SSIM"),)
_ABOUT = """
- MS-SSIM: of validation images and what a decoder draws from their codes after 150 steps of training.
"""
RECONSTRUCTIONS = Evaluator("decoder", DEPENDENCE, {ENCODER, TRAINING}, _measured, _COLUMNS, _ABOUT)
