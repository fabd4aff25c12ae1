"""Batch normalisation that is Keras' own, computed by TensorFlow's fused kernel where it runs."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("dim")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over the last axis, faster on TensorFlow.

    The same function, weights and configuration. Keras computes it from some ten separate
    operations there, which on a CPU takes longer than the convolutions around it.
    """

    def call(self, inputs, training=None, mask=None):
        if keras.backend.backend() != "tensorflow" or mask is not None:
            return super().call(inputs, training=training, mask=mask)
        if len(inputs.shape) != 4:  # the kernel wants images
            as_images = ops.reshape(inputs, (-1, 1, 1, inputs.shape[-1]))
            return ops.reshape(self.call(as_images, training), ops.shape(inputs))
        from tensorflow import compat

        fused = compat.v1.nn.fused_batch_norm
        gamma, beta = ops.cast(self.gamma, "float32"), ops.cast(self.beta, "float32")
        if not (training and self.trainable):
            moments = ops.cast(self.moving_mean, "float32"), ops.cast(self.moving_variance, "float32")
            return fused(inputs, gamma, beta, *moments, epsilon=self.epsilon, is_training=False)[0]
        outputs, mean, variance = fused(inputs, gamma, beta, epsilon=self.epsilon)
        count = ops.cast(ops.size(inputs) // inputs.shape[-1], "float32")
        variance *= (count - 1) / count  # the kernel reports the unbiased estimate, Keras keeps the other
        for moving, batch in (self.moving_mean, mean), (self.moving_variance, variance):
            moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        return outputs
