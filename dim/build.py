"""From a configuration to a compiled model."""

import keras

from dim.augmentation import RandomView
from dim.configuration import Configuration
from dim.critics import CRITICS
from dim.device import best_precision
from dim.encoders import ENCODERS
from dim.model import DeepInfoMax


def build_model(configuration: Configuration) -> DeepInfoMax:
    """The model that a configuration describes, compiled, with the initial weights of its seed.

    Sets Keras' random seed and its dtype policy, both of which are global.
    """
    c = configuration
    keras.utils.set_random_seed(c.seed)
    keras.config.set_dtype_policy(best_precision() if c.precision == "auto" else c.precision)
    model = DeepInfoMax(
        encoder=ENCODERS[c.encoder](c.image_size, c.code_size),
        local_critic=_critic(c) if c.beta else None,
        global_critic=_critic(c) if c.alpha else None,
        objective=c.objective,
        global_weight=c.alpha,
        local_weight=c.beta,
        prior_weight=c.gamma,
        summary=c.summary,
        augmentation=RandomView(seed=c.seed) if c.views == 2 else None,
        seed=c.seed,
        name="deep_infomax",
    )
    model.build((None, c.image_size, c.image_size, 3))
    model.compile(keras.optimizers.AdamW(c.learning_rate, weight_decay=c.weight_decay))
    model.optimizer.build(model.trainable_variables)
    return model


def _critic(c: Configuration) -> keras.layers.Layer:
    if c.critic == "concatenate-and-convolve":
        return CRITICS[c.critic](widths=[c.critic_units] * c.critic_layers)
    return CRITICS[c.critic](c.critic_units)
