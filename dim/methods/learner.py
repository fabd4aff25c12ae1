"""What every method shares: views of the images, codes of posteriors, terms, and how all is saved."""

from collections.abc import Iterable

import keras
from keras import ops

from dim.encoders import LOG_VARIANCE, MEAN
from dim.layers.saved import Random


class Learner(Random, keras.Model):
    """Trains an encoder, which is all that is needed afterwards; calling the learner calls the encoder.

    A method keeps what its constructor takes, layers and plain values, in attributes of the same names: they
    are saved with the model. Its `compute_loss` says what is lowered and records the terms of it. Compile
    with an optimizer alone.

    Args:
        encoder: a model of `dim.encoders`.
        augmentation: a layer from images to random views of them; None takes the images as they are.
        terms: names of what the logs show beside the loss.
        seed: of the sampling.
    """

    views = 1
    """Of each image, which training shows; without an augmentation it shows the image itself, once."""

    def __init__(self, encoder: keras.Model, augmentation, terms: Iterable[str], seed: int = 0, **kwargs):
        super().__init__(seed, **kwargs)
        self.encoder, self.augmentation = encoder, augmentation
        self.views = 1 if augmentation is None else self.views
        self.terms = {name: keras.metrics.Mean(name) for name in terms}

    def build(self, input_shape):
        build(self.augmentation, input_shape)

    def call(self, images, training=False):
        return self.encoder(self.seen(images) if training else images, training=training)

    def seen(self, images):
        """What training shows of images [B, H0, W0, 3]: the views of the first, then those of the second, …

        So all views of an image are on one device, where several share a batch.
        """
        if self.augmentation is None:
            return images
        views = [self.augmentation(images) for _ in range(self.views)]
        return ops.reshape(ops.stack(views, axis=1), (-1, *ops.shape(views[0])[1:]))

    def by_view(self, x, training=True):
        """What belongs to the first views, then to the second, …, of x [B·V, …]: V times [B, …].

        Outside training the images are their own and only view.
        """
        views = self.views if training else 1
        return ops.unstack(ops.reshape(x, (-1, views, *ops.shape(x)[1:])), views, axis=1)

    def sample(self, outputs):
        """Codes [B, D] from the posteriors that the encoder gave; its codes where it gives no posterior."""
        code = outputs[MEAN]
        if LOG_VARIANCE not in outputs:
            return code
        noise = keras.random.normal(ops.shape(code), dtype=code.dtype, seed=self.random)
        return code + ops.exp(outputs[LOG_VARIANCE] / 2) * noise

    def record(self, name: str, value):
        """Shows the value of a term in the logs, and gives it back."""
        self.terms[name].update_state(value)
        return value

    def learn_mean_only(self):
        """Sets the layer of the log-variance aside: where no term reaches it, it would only decay."""
        for layer in self.encoder.layers:
            if layer.name == LOG_VARIANCE:
                layer.trainable = False

    def get_config(self):
        config = super().get_config()
        return {name: keras.saving.serialize_keras_object(value) for name, value in config.items()}

    @classmethod
    def from_config(cls, config):
        return cls(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})

    def load_own_variables(self, store):
        if "random" in store:  # as older checkpoints of methods that never sample have it not
            super().load_own_variables(store)


def build(part: keras.layers.Layer | None, *shapes):
    """Builds a part of a learner for inputs of these shapes, unless it is none or comes built from a file."""
    if part is not None and not part.built:
        part.build(*shapes)
