"""What the same encoder learns from which images are of the same class, and nothing else of the labels."""

import keras
from keras import ops

from dim.choices import BY_TEMPERATURE
from dim.encoders import MEAN
from dim.errors import DimError
from dim.layers.unit import unit
from dim.losses.metric_learning import LOSSES, mean_cosines
from dim.methods.learner import Learner


@keras.saving.register_keras_serializable("dim")
class MetricLearning(Learner):
    """A Siamese network: one encoder for all images of a batch, and a loss of `dim.losses.metric_learning`.

    The loss is that of the codes at length 1, so that distances are from 0 to 2 and a margin means the
    same for every encoder. The code is the mean of the posterior and is not sampled; a log-variance, if
    the encoder has one, does not learn. With an augmentation, training shows two random views of each
    image, which share its label. The terms in the logs are the mean cosines of same and of different pairs.

    Fit on uint8 images [B, H0, W0, 3] and integer labels [B], in batches with several images of each class,
    such as those of `dim.data.class_batches.ClassBatches`.

    Args:
        encoder, augmentation: as of `Learner`.
        loss_name: a key of `dim.losses.metric_learning.LOSSES`; ValueError for any other.
        margin, temperature: of the losses that have one, and of the others.
    """

    views = 2

    def __init__(self, encoder, loss_name="supcon", margin=0.2, temperature=0.1, augmentation=None, **kwargs):
        if loss_name not in LOSSES:
            raise ValueError(f"loss_name must be one of {tuple(LOSSES)}, not {loss_name!r}")
        super().__init__(encoder, augmentation, ("same_cosine", "different_cosine"), **kwargs)
        self.loss_name, self.margin, self.temperature = loss_name, margin, temperature
        self.learn_mean_only()

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss of a batch; DimError where there are no labels `y`."""
        if y is None:
            raise DimError("metric learning needs labels: fit on (images, labels)")
        if training:
            y = ops.repeat(y, self.views, axis=0)
        codes = unit(y_pred[MEAN])
        for name, cosine in zip(self.terms, mean_cosines(codes, y), strict=True):
            self.record(name, cosine)
        setting = self.temperature if self.loss_name in BY_TEMPERATURE else self.margin
        return LOSSES[self.loss_name](codes, y, setting)
