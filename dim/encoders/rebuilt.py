"""The same network made of other layers."""

from collections.abc import Callable

import keras

from dim.layers.normalisation import BatchNormalization


def rebuilt(model: keras.Model, kind_of: Callable[[keras.layers.Layer], type], **changes) -> keras.Model:
    """A copy of a functional or sequential model, weights included, nested models too.

    Args:
        model: to be copied.
        kind_of: the class that a layer is to have in the copy.
        **changes: to the configuration of every layer but the inputs.
    """

    def twin_of(layer: keras.layers.Layer) -> keras.layers.Layer:
        return kind_of(layer).from_config({**layer.get_config(), **changes})

    twin = keras.models.clone_model(model, clone_function=twin_of, recursive=True)
    twin.set_weights(model.get_weights())
    return twin


def in_plain_keras(encoder: keras.Model) -> keras.Model:
    """The same encoder made of Keras' own layers only, so that it loads without this package."""
    return rebuilt(encoder, _plain)


def in_float32(encoder: keras.Model) -> keras.Model:
    """As `in_plain_keras`, computing in float32 throughout."""
    return rebuilt(encoder, _plain, dtype="float32")


def in_float16(encoder: keras.Model) -> keras.Model:
    """As `in_plain_keras`, in float16 throughout, which takes half of the space on disk."""
    return rebuilt(encoder, _plain, dtype="float16")


def _plain(layer: keras.layers.Layer) -> type:
    return keras.layers.BatchNormalization if type(layer) is BatchNormalization else type(layer)
