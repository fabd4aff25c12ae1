"""VICReg: two views agree, and every dimension has to vary on its own."""

import keras
from keras import layers, ops

from dim.encoders import MEAN
from dim.errors import DimError
from dim.layers.normalisation import BatchNormalization
from dim.methods.learner import Learner, build

INVARIANCE_WEIGHT, VARIANCE_WEIGHT, COVARIANCE_WEIGHT = 25.0, 25.0, 1.0
_EPSILON = 1e-4


def invariance(one, other):
    """Mean squared difference of two views' embeddings [B, U]; 0 where they agree (eq. 5).

    The mean is over images and dimensions, as in the authors' code, which the weights 25, 25, 1 belong
    to; equation 5 sums over the dimensions.
    """
    return ops.mean(ops.square(one - other))


def variance(embeddings):
    """How much the dimensions of [B, U] lack of a standard deviation of 1 (eqs. 1 and 2).

        1/U Σ_u max(0, 1 - sqrt(Var(z_u) + 1e-4))        Var with B - 1

    0 where all vary enough, 0.99 where all embeddings are the same.
    """
    centred, freedom = _centred(embeddings)
    deviation = ops.sqrt(ops.sum(ops.square(centred), axis=0) / freedom + _EPSILON)
    return ops.mean(ops.relu(1 - deviation))


def covariance(embeddings):
    """Squared covariances between different dimensions of [B, U], summed, over U (eqs. 3 and 4).

    1/U Σ_{u≠v} Cov(z_u, z_v)², Cov with B - 1; 0 where no two dimensions go together.
    """
    U = embeddings.shape[1]
    centred, freedom = _centred(embeddings)
    products = ops.matmul(ops.transpose(centred), centred) / freedom
    return ops.sum(ops.square(products * (1 - ops.eye(U)))) / U


def _centred(embeddings):
    return embeddings - ops.mean(embeddings, axis=0), ops.cast(ops.shape(embeddings)[0] - 1, "float32")


def expander(units: int = 1024) -> keras.Sequential:
    """Codes [B, D] to embeddings [B, U] float32: U units thrice, twice with batch normalisation and ReLU.

    The paper takes U = 8192 for features of 2048, here it is 1024 for codes of 256.
    """
    hidden = [layer for _ in range(2) for layer in (layers.Dense(units), BatchNormalization(), layers.ReLU())]
    return keras.Sequential([*hidden, layers.Dense(units, use_bias=False, dtype="float32")], name="expander")


@keras.saving.register_keras_serializable("dim")
class VICReg(Learner):
    """Variance, invariance, covariance regularisation (Bardes et al. 2022, https://arxiv.org/abs/2105.04906).

        loss = 25 · invariance(Z, Z') + 25 · ½ [variance(Z) + variance(Z')] + covariance(Z) + covariance(Z')

    of the expanded codes Z, Z' of two views of each image. Halving the variance is as in the authors'
    code; equation 6 does not. The code is the mean of the posterior and is not sampled; a log-variance, if
    the encoder has one, does not learn. Outside training both views are the image itself.

    Fit on batches of uint8 images [B, H0, W0, 3], B ≥ 2, without targets. The expander is a layer from codes
    [B, D] to embeddings [B, U], such as `expander(1024)`. Without an augmentation both views would be the
    same, which is a DimError.
    """

    views = 2

    def __init__(self, encoder: keras.Model, expander: layers.Layer, augmentation: layers.Layer, **kwargs):
        if augmentation is None:
            raise DimError("VICReg compares two views of each image; it needs an augmentation")
        super().__init__(encoder, augmentation, ("invariance", "variance", "covariance"), **kwargs)
        self.expander = expander
        self.learn_mean_only()

    def build(self, input_shape):
        super().build(input_shape)
        build(self.expander, self.encoder.compute_output_shape(input_shape)[MEAN])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        embeddings = ops.cast(self.expander(y_pred[MEAN], training=training), "float32")
        one, other = self.by_view(embeddings) if training else (embeddings, embeddings)
        return (
            INVARIANCE_WEIGHT * self.record("invariance", invariance(one, other))
            + VARIANCE_WEIGHT * self.record("variance", (variance(one) + variance(other)) / 2)
            + COVARIANCE_WEIGHT * self.record("covariance", covariance(one) + covariance(other))
        )
