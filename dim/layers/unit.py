"""Codes as directions."""

from keras import ops


def unit(codes):
    """Codes [B, D] at length 1, in float32. Any finite scale does, gradients included.

    Zeros, which point nowhere, stay zeros and have no gradient.
    """
    codes = ops.cast(codes, "float32")
    # Length does not depend on the scale, so its gradient through the greatest value is 0.
    scale = ops.stop_gradient(ops.max(ops.abs(codes), axis=1, keepdims=True))
    codes = ops.where(scale > 0, codes, 0.0) / ops.maximum(scale, 1e-30)
    return codes / ops.sqrt(ops.maximum(ops.sum(ops.square(codes), axis=1, keepdims=True), 1e-12))
