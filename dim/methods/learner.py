"""What all rivals share."""

import keras

from dim.encoders import LOG_VARIANCE


class Rival(keras.Model):
    """An encoder, perhaps random views of the images, the terms of a loss, and how all that is saved.

    A subclass names in `parts` the layers and in `settings` the plain values that its constructor takes.

    Attributes:
        encoder: a model of `dim.encoders`; all that is needed afterwards.
        augmentation: a layer from images to random views of them, or None.
        terms: name → `keras.metrics.Mean`, which the logs show.
    """

    parts = ("encoder", "augmentation")
    settings = ()

    def __init__(self, encoder, augmentation, terms, **kwargs):
        super().__init__(**kwargs)
        self.encoder, self.augmentation = encoder, augmentation
        self.terms = {name: keras.metrics.Mean(name) for name in terms}

    def build(self, input_shape):
        if self.augmentation is not None and not self.augmentation.built:
            self.augmentation.build(input_shape)

    def learn_mean_only(self):
        """Sets the layer of the log-variance aside: where no term reaches it, it would only decay."""
        for layer in self.encoder.layers:
            if layer.name == LOG_VARIANCE:
                layer.trainable = False

    def get_config(self):
        return {
            **super().get_config(),
            **{name: keras.saving.serialize_keras_object(getattr(self, name)) for name in self.parts},
            **{name: getattr(self, name) for name in self.settings},
        }

    @classmethod
    def from_config(cls, config):
        parts = {name: keras.saving.deserialize_keras_object(config.pop(name)) for name in cls.parts}
        return cls(**parts, **config)
