"""The variational autoencoder: a code that images can be drawn from again."""

import math

import keras
from keras import ops

from dim.encoders import LOG_VARIANCE, MEAN
from dim.errors import DimError
from dim.losses.priors import kl_to_standard_normal
from dim.methods.learner import Learner

SIGMA = 0.25
_SEEN = "images"


def gaussian_pixel_loss(images, reconstruction):
    """-log N(x; x̂, σ² I) of each image, with σ = 0.25 on a scale from -1 for black to 1 for white.

        Σ ½ ((x - x̂) / σ)² + ½ log(2πσ²)        over the 3·H0·W0 values of an image

    σ is fixed, at 32 of 255 grey levels. A density can exceed 1, so the loss can be negative: its least
    value, of a perfect reconstruction, is -0.467 nats a value.

    Takes images [B, H0, W0, 3] uint8 and x̂ of the same shape; returns [B] float32 in nats.
    """
    x = ops.cast(images, "float32") / 127.5 - 1
    deviation = (x - ops.cast(reconstruction, "float32")) / SIGMA
    return ops.sum(0.5 * ops.square(deviation) + 0.5 * math.log(2 * math.pi * SIGMA**2), axis=(1, 2, 3))


@keras.saving.register_keras_serializable("dim")
class VariationalAutoencoder(Learner):
    """Raises the evidence lower bound of images (Kingma and Welling 2014, eq. 3, arXiv 1312.6114).

        loss = (reconstruction + β · kl) / (3·H0·W0)

    The terms in the logs are nats for each image: the reconstruction is `gaussian_pixel_loss`, kl is
    KL(q(z|x) ‖ N(0, I)) summed over the D dimensions of the code. (`prior` in the logs of `DeepInfoMax`
    is the same KL averaged over the dimensions.) The loss is nats for each of an image's values, as
    likelihoods are compared; gradients of whole images overflow float16. With β = 1 it is the negative
    bound, any other β makes it the β-VAE. While training, codes are sampled from the posterior.

    Fit on uint8 images [B, H0, W0, 3] without targets. With an augmentation, training shows one random view
    of each, and the view is what has to be reconstructed.

    Args:
        encoder: a model of `dim.encoders`; DimError where it gives no log-variance.
        decoder: a model from codes [B, D] to [B, H0, W0, 3], such as `mirrored_decoder`'s.
        beta: β.
        augmentation, seed: as of `Learner`.
    """

    def __init__(self, encoder, decoder, beta: float = 1.0, augmentation=None, seed: int = 0, **kwargs):
        if LOG_VARIANCE not in encoder.output:
            raise DimError("a variational autoencoder needs an encoder with a Gaussian posterior")
        super().__init__(encoder, augmentation, ("reconstruction", "kl"), seed, **kwargs)
        self.decoder, self.beta = decoder, beta

    def call(self, images, training=False):
        if not training:
            return super().call(images)
        images = self.seen(images)
        return {**self.encoder(images, training=True), _SEEN: images}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        kl = ops.mean(ops.sum(kl_to_standard_normal(y_pred[MEAN], y_pred[LOG_VARIANCE]), axis=1))
        code, images = (self.sample(y_pred), y_pred[_SEEN]) if training else (y_pred[MEAN], x)
        reconstruction = ops.mean(gaussian_pixel_loss(images, self.decoder(code, training=training)))
        self.record("kl", kl)
        self.record("reconstruction", reconstruction)
        return (reconstruction + self.beta * kl) / math.prod(images.shape[1:])
