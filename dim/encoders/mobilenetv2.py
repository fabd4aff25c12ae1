"""MobileNetV2, as the example of a backbone from `keras.applications`."""

import keras

from dim.encoders.backbone import backbone_encoder
from dim.errors import DimError


def mobilenetv2_encoder(image_size: int = 64, code_size: int = 256, gaussian: bool = True) -> keras.Model:
    """MobileNetV2 (Sandler et al. 2018) as `keras.applications` has it, without its trained weights.

    Split at `block_6_expand_relu`, the last layer whose map has an eighth of the image's side: 8×8×192
    at 64 pixels. 2,257,984 parameters without the code's layers, at any size.

    Images must have 32 pixels a side or more.
    """
    if image_size < 32:
        raise DimError(f"the mobilenetv2 encoder needs images of at least 32 pixels, not {image_size}")
    backbone = keras.applications.MobileNetV2(
        (image_size, image_size, 3), include_top=False, weights=None, name="mobilenetv2"
    )
    return backbone_encoder(backbone, "block_6_expand_relu", image_size, code_size, gaussian)
