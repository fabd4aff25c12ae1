"""What the same encoder learns when it is told the labels: the bracket above all others."""

import keras
from keras import layers, ops

from dim.encoders import MEAN
from dim.errors import DimError
from dim.methods.learner import Learner, build


@keras.saving.register_keras_serializable("dim")
class Supervised(Learner):
    """One dense layer from the code to the logits of the classes, trained by cross-entropy.

        loss = -log softmax(logits)[label]        in nats, log(classes) at chance

    The code is the mean of the posterior and is not sampled; a log-variance, if the encoder has one,
    does not learn. With an augmentation, training shows one random view of each image.

    Fit on uint8 images [B, H0, W0, 3] and integer labels [B], 0 … classes - 1. Encoder and augmentation are
    as of `Learner`.
    """

    def __init__(self, encoder: keras.Model, classes: int, augmentation=None, **kwargs):
        super().__init__(encoder, augmentation, ("cross_entropy", "accuracy"), **kwargs)
        self.classes = classes
        self.logits = layers.Dense(classes, dtype="float32", name="logits")
        self.learn_mean_only()

    def build(self, input_shape):
        super().build(input_shape)
        build(self.logits, self.encoder.compute_output_shape(input_shape)[MEAN])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Mean cross-entropy of a batch; DimError where there are no labels `y`."""
        if y is None:
            raise DimError("a supervised encoder needs labels: fit on (images, labels)")
        logits = self.logits(y_pred[MEAN])
        labels = ops.reshape(ops.cast(y, "int32"), (-1,))
        hits = ops.cast(ops.cast(ops.argmax(logits, axis=1), "int32") == labels, "float32")
        self.record("accuracy", ops.mean(hits))
        losses = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        return self.record("cross_entropy", ops.mean(losses))
