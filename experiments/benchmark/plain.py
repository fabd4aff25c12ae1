"""The same model as one would write it in Keras, without the rewrites that make ours faster.

    fused        batch normalisation by TensorFlow's fused kernel         (dim/layers/normalisation.py)
    pooling      pooling before the activation, which is monotone         (dim/encoders/seed.py)
    split        Dense([code, feature]) as Dense(code) + Dense(feature)   (dim/layers/critics.py)
    adam         AdamW by TensorFlow's fused kernel                       (dim/methods/optimizer.py)

Each can be put in alone. Weights and losses are the same either way; tests hold the two together.
"""

import inspect
import math
from functools import partial

import keras
from keras import layers, ops

from dim.encoders import seed_encoder
from dim.encoders.ends import scaled_images, split_here, with_posterior
from dim.layers.critics import ConcatenateAndConvolve, EncodeAndDot
from dim.layers.normalisation import BatchNormalization
from dim.methods.deep_infomax import DeepInfoMax

REWRITES = ("fused", "pooling", "split", "adam")


def plain_model(model: DeepInfoMax, rewrites: tuple[str, ...] = ()) -> DeepInfoMax:
    """A copy of a compiled model with the seed encoder, with the given rewrites and no others.

    It starts from the same weights and random states, and has an optimizer of its own.
    """
    names = [name for name in inspect.signature(DeepInfoMax).parameters if name != "kwargs"]
    parts = {name: getattr(model, name) for name in names}
    gaussian = "log_variance" in model.encoder.output
    image_size, code_size = model.encoder.input_shape[1], model.encoder.output["mean"].shape[-1]
    parts["encoder"] = _encoder(image_size, code_size, gaussian, rewrites)
    for name in "local_critic", "global_critic":
        parts[name] = _critic(parts[name], rewrites)
    for name in "augmentation", "occlusion", "prior_discriminator", "coordinates":
        if parts[name] is not None:
            parts[name] = type(parts[name]).from_config(parts[name].get_config())
    twin = DeepInfoMax(**parts)
    twin.build((None, image_size, image_size, 3))
    twin.set_weights(model.get_weights())
    optimizer = type(model.optimizer) if "adam" in rewrites else keras.optimizers.AdamW
    twin.compile(optimizer.from_config(model.optimizer.get_config()))
    return twin


def _encoder(image_size: int, code_size: int, gaussian: bool, rewrites) -> keras.Model:
    if set(rewrites) >= {"fused", "pooling"}:
        return seed_encoder(image_size, code_size, gaussian)
    normalisation = BatchNormalization if "fused" in rewrites else layers.BatchNormalization

    def block(x, channels, pool=False):
        x = normalisation()(layers.Conv2D(channels, 3, padding="same")(x))
        then = [layers.LeakyReLU(0.2)]
        if pool:
            then.insert(0 if "pooling" in rewrites else 1, layers.MaxPooling2D(2))
        for layer in then:
            x = layer(x)
        return x

    images, x = scaled_images("seed", image_size, least=8)
    for power in reversed(range(int(math.log2(image_size / 4)))):
        x = block(x, 256 // 2**power, pool=True)
    feature_map = split_here(x)
    x = block(block(feature_map, 256), 256)
    return with_posterior(images, feature_map, layers.GlobalMaxPooling2D()(x), code_size, gaussian)


def _critic(critic: layers.Layer | None, rewrites) -> layers.Layer | None:
    if critic is None:
        return None
    kind = type(critic)
    if kind is ConcatenateAndConvolve and "split" not in rewrites:
        kind = _Concatenate
    twin = kind.from_config(critic.get_config())
    if kind is EncodeAndDot and "fused" not in rewrites:
        for projection in twin.code_projection, twin.feature_projection:
            layer = projection.normalise_hidden
            layer.call = partial(layers.BatchNormalization.call, layer)
    return twin


class _Concatenate(ConcatenateAndConvolve):
    def call(self, code, features, training=False):
        code = ops.broadcast_to(code[:, None], (*ops.shape(features)[:2], code.shape[-1]))
        code = ops.cast(code, features.dtype)
        shifted = [ops.roll(features, -shift, axis=0) for shift in range(self.negatives + 1)]
        scores = [self._score(self.first(ops.concatenate([code, f], axis=-1))) for f in shifted]
        return scores[0], ops.stack(scores[1:], axis=1)
