"""Any functional Keras model as an encoder, split at one of its layers."""

from difflib import get_close_matches

import keras
from keras import layers

from dim.encoders.ends import scaled_images, split_here, with_posterior
from dim.encoders.rebuilt import rebuilt
from dim.errors import DimError
from dim.layers.normalisation import BatchNormalization


def backbone_encoder(
    backbone: keras.Model, split_layer: str, image_size: int = 64, code_size: int = 256, gaussian: bool = True
) -> keras.Model:
    """An encoder around a model from images to a map or vector, such as those of `keras.applications`.

    Images are scaled to [-1, 1] before they enter the backbone, so one with weights must have been
    trained on such pixels. A map that comes out is averaged over its locations; a vector is taken as it
    is. Weights are copied, not shared, and batch normalisation is computed by our faster layer.

    Args:
        backbone: a functional or sequential model from [B, H0, W0, 3] to [B, H', W', F] or [B, F].
        split_layer: name of the layer of the backbone whose output [B, H, W, C], the first
            if it is called several times, is the feature map.
        image_size, code_size, gaussian: as of every encoder.

    Raises:
        DimError: the backbone has no input or output of these shapes, no layer of that name, or its
            output is no map.
    """
    inputs, outputs = getattr(backbone, "inputs", []), getattr(backbone, "outputs", [])
    if len(inputs) != 1:
        raise DimError(f"the backbone {backbone.name!r} must be a functional model of one input, of images")
    has, expected = inputs[0].shape, (None, image_size, image_size, 3)
    if len(has) != 4 or any(n not in (None, wanted) for n, wanted in zip(has[1:], expected[1:], strict=True)):
        raise DimError(f"the backbone {backbone.name!r} takes {has}, not images {expected}")
    if len(outputs) != 1 or len(outputs[0].shape) not in (2, 4):
        raise DimError(f"the backbone {backbone.name!r} must give one output, a map or a vector for an image")

    twin = rebuilt(backbone, lambda layer: BatchNormalization if _fusible(layer) else type(layer))
    images, x = scaled_images(backbone.name, image_size, least=1)
    body = keras.Model(twin.inputs[0], [_map_of(twin, split_layer), twin.outputs[0]], name=backbone.name)
    feature_map, x = body(x)
    if len(x.shape) == 4:
        x = layers.GlobalAveragePooling2D()(x)
    return with_posterior(images, split_here(feature_map), x, code_size, gaussian)


def _map_of(backbone, split_layer: str):
    names = [layer.name for layer in backbone.layers]
    if split_layer not in names:
        near = ", ".join(get_close_matches(split_layer, names, n=5, cutoff=0))
        raise DimError(f"the backbone {backbone.name!r} has no layer {split_layer!r}; near names: {near}")
    output = backbone.get_layer(split_layer).output
    if not isinstance(output, keras.KerasTensor) or len(output.shape) != 4:
        shape = getattr(output, "shape", "several outputs")
        raise DimError(f"layer {split_layer!r} of {backbone.name!r} gives {shape}, not a map [B, H, W, C]")
    return output


def _fusible(layer) -> bool:
    """Whether it is Keras' batch normalisation in the form that our layer computes."""
    if type(layer) is not keras.layers.BatchNormalization or not (layer.center and layer.scale):
        return False
    return layer.axis in (-1, layer.input_spec.ndim - 1) and not layer.get_config().get("renorm")
