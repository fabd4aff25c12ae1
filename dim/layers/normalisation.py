"""Batch normalisation that is Keras' own, by a fused kernel where TensorFlow or torch compute."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("dim")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over the last axis, faster on TensorFlow and torch.

    The same function, weights and configuration. Keras computes it from some ten separate
    operations there, which on a CPU takes longer than the convolutions around it.
    """

    def call(self, inputs, training=None, mask=None):
        fused = _FUSED.get(keras.backend.backend())
        if fused is None or mask is not None:
            return super().call(inputs, training=training, mask=mask)
        if len(inputs.shape) != 4:  # the kernels want images
            as_images = ops.reshape(inputs, (-1, 1, 1, inputs.shape[-1]))
            return ops.reshape(self.call(as_images, training), ops.shape(inputs))
        gamma, beta = ops.cast(self.gamma, "float32"), ops.cast(self.beta, "float32")
        if not (training and self.trainable):
            moments = ops.cast(self.moving_mean, "float32"), ops.cast(self.moving_variance, "float32")
            return fused(inputs, gamma, beta, self.epsilon, moments)[0]
        outputs, *moments = fused(inputs, gamma, beta, self.epsilon)
        for moving, batch in zip((self.moving_mean, self.moving_variance), moments, strict=True):
            moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        return outputs


def _by_tensorflow(x, gamma, beta, epsilon, moments=()):
    from tensorflow import compat

    fused = compat.v1.nn.fused_batch_norm
    y, mean, variance = fused(x, gamma, beta, *moments, epsilon=epsilon, is_training=not moments)
    count = ops.cast(ops.size(x) // x.shape[-1], "float32")
    return y, mean, variance * ((count - 1) / count)  # of the unbiased estimate, which Keras does not keep


def _by_torch(x, gamma, beta, epsilon, moments=()):
    import torch

    images = x.permute(0, 3, 1, 2)
    mean, variance = moments or (None, None)
    y, mean, deviation = torch.native_batch_norm(images, gamma, beta, mean, variance, not moments, 0, epsilon)
    if y.requires_grad:  # of another layout than the images, the gradient takes ten times as long
        y.register_hook(lambda gradient: gradient.contiguous(memory_format=torch.channels_last))
    # the kernel reports 1 / √(variance + ε)
    return y.permute(0, 2, 3, 1), mean.detach(), deviation.detach() ** -2 - epsilon


_FUSED = {"tensorflow": _by_tensorflow, "torch": _by_torch}
"""From inputs [B, H, W, C], γ and β and perhaps known mean and variance to outputs, mean and variance."""
