"""Two of a pair through one encoder: it learns how alike somebody found them."""

import keras
from keras import ops

from dim.encoders import MEAN
from dim.errors import DimError
from dim.layers.unit import unit
from dim.losses.graded import GRADED
from dim.methods.learner import Learner


@keras.saving.register_keras_serializable("dim")
class Siamese(Learner):
    """Trains an encoder by a loss of `dim.losses.graded`, of the cosines between the codes of pairs.

    Fit on pairs [B, 2, …] of what the encoder takes, such as tokens [B, 2, T] int32, and their grades [B]
    float, which DimError asks for where they are missing. Codes are means of posteriors and are not
    sampled. The term in the logs is the mean cosine.
    """

    def __init__(self, encoder, loss_name="cosent", temperature=0.05, augmentation=None, **kwargs):
        if loss_name not in GRADED:
            raise ValueError(f"loss_name must be one of {tuple(GRADED)}, not {loss_name!r}")
        super().__init__(encoder, augmentation, ("cosine",), **kwargs)
        self.loss_name, self.temperature = loss_name, temperature
        self.learn_mean_only()

    def call(self, pairs, training=False):
        """The outputs of the encoder for the first of all pairs, then for the second."""
        both = ops.concatenate([pairs[:, 0], pairs[:, 1]])
        return super().call(both, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss of a batch; DimError where there are no grades `y`."""
        if y is None:
            raise DimError("a Siamese model learns from graded pairs: fit on (pairs, grades)")
        first, second = ops.split(unit(y_pred[MEAN]), 2)
        cosines = ops.sum(first * second, axis=1)
        self.record("cosine", ops.mean(cosines))
        return GRADED[self.loss_name](cosines, ops.reshape(y, (-1,)), self.temperature)
