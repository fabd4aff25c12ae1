"""AdamW that is Keras' own, applied by TensorFlow's fused kernel where it runs."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("dim")
class AdamW(keras.optimizers.AdamW):
    """`keras.optimizers.AdamW`, faster on TensorFlow.

    The same function, state and configuration. Keras computes it from some twenty operations a weight
    there, which for this size of model are a twentieth of a training step.
    """

    def update_step(self, gradient, variable, learning_rate):
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        from tensorflow import raw_ops

        dtype, index = variable.dtype, self._get_variable_index(variable)
        moments = self._momentums[index].value.handle, self._velocities[index].value.handle
        step = ops.cast(self.iterations + 1, dtype)
        raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=moments[0],
            v=moments[1],
            beta1_power=ops.power(ops.cast(self.beta_1, dtype), step),
            beta2_power=ops.power(ops.cast(self.beta_2, dtype), step),
            lr=ops.cast(learning_rate, dtype),
            beta1=ops.cast(self.beta_1, dtype),
            beta2=ops.cast(self.beta_2, dtype),
            epsilon=ops.cast(self.epsilon, dtype),
            grad=ops.cast(gradient, dtype),
        )
