"""The same network made of other layers."""

from collections.abc import Callable

import keras

from dim.normalisation import BatchNormalization


def rebuilt(model: keras.Model, kind_of: Callable[[keras.layers.Layer], type]) -> keras.Model:
    """A copy of a functional model, weights included, nested models too.

    Args:
        model: any functional or sequential model.
        kind_of: the class that a layer is to have in the copy, of the same configuration and weights.
    """
    twin = keras.models.clone_model(
        model,
        clone_function=lambda layer: kind_of(layer).from_config(layer.get_config()),
        recursive=True,
    )
    twin.set_weights(model.get_weights())
    return twin


def in_plain_keras(encoder: keras.Model) -> keras.Model:
    """The same encoder made of Keras' own layers only, so that it loads without this package."""
    plain = {BatchNormalization: keras.layers.BatchNormalization}
    return rebuilt(encoder, lambda layer: plain.get(type(layer), type(layer)))
