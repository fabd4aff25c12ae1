"""Deep InfoMax itself: encoder, critics and prior in one Keras model."""

import keras
from keras import ops

from dim.encoders import FEATURE_MAP, LOG_VARIANCE, MEAN
from dim.objectives import OBJECTIVES, critic_accuracy
from dim.priors import kl_to_standard_normal

SUMMARIES = ("map", "code")


@keras.saving.register_keras_serializable("dim")
class DeepInfoMax(keras.Model):
    """Learns an encoder by raising lower bounds on the information that codes carry about images.

        loss = α · global + β · local + γ · prior                    (Hjelm et al. 2019, eq. 8)

    Local: the code of an image against each of the H·W locations of its feature map. Global: the
    code against one summary of the whole map. Prior: KL from the posterior to N(0, I), averaged
    over the dimensions of the code. While training, codes are sampled from the posterior.

    With an augmentation, training encodes two views of each image, and the code of either is scored
    against the feature map of the other (as in AMDIM, https://arxiv.org/abs/1906.00910).

    Compile with an optimizer alone and fit on batches of uint8 images [B, H0, W0, 3], B ≥ 2, without
    targets. Only `encoder` is needed afterwards; calling the model calls the encoder.

    Args:
        encoder: a model of `dim.encoders`.
        local_critic, global_critic: layers of `dim.critics`; None leaves the term out.
        objective: a name in `dim.objectives.OBJECTIVES`.
        global_weight, local_weight, prior_weight: α, β and γ.
        summary: what the global critic compares a code with: `map`, the flattened feature map, or
            `code`, the same sampled code again (as in Su Jianlin's model, where the global term is
            a test of equality).
        augmentation: a layer from images to random views of them, such as `dim.augmentation.RandomView`;
            None takes the images as they are.
        seed: of the sampling.
    """

    def __init__(
        self,
        encoder: keras.Model,
        local_critic: keras.layers.Layer | None,
        global_critic: keras.layers.Layer | None,
        objective: str = "infonce",
        global_weight: float = 0.5,
        local_weight: float = 1.0,
        prior_weight: float = 0.01,
        summary: str = "map",
        augmentation: keras.layers.Layer | None = None,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if summary not in SUMMARIES:
            raise ValueError(f"summary must be one of {SUMMARIES}, not {summary!r}")
        self.encoder, self.local_critic, self.global_critic = encoder, local_critic, global_critic
        self.augmentation = augmentation
        self.objective, self.summary, self.seed = objective, summary, seed
        self.global_weight, self.local_weight, self.prior_weight = global_weight, local_weight, prior_weight
        self.noise = keras.random.SeedGenerator(seed)
        pairs = [name for name, critic in self._critics() if critic is not None]
        names = ["prior", *(f"{pair}{suffix}" for pair in pairs for suffix in ("", "_bound", "_accuracy"))]
        self.terms = {name: keras.metrics.Mean(name) for name in names}

    def _critics(self):
        return ("global", self.global_critic), ("local", self.local_critic)

    def build(self, input_shape):
        shapes = self.encoder.compute_output_shape(input_shape)
        B, D = shapes[MEAN]
        _, H, W, C = shapes[FEATURE_MAP]
        summary_shape = (B, 1, H * W * C if self.summary == "map" else D)
        if self.augmentation is not None and not self.augmentation.built:
            self.augmentation.build(input_shape)
        for critic, shape in (self.local_critic, (B, H * W, C)), (self.global_critic, summary_shape):
            if critic is not None and not critic.built:  # a reloaded critic comes already built
                critic.build((B, D), shape)

    def call(self, images, training=False):
        if training and self.augmentation is not None:
            images = ops.concatenate([self.augmentation(images), self.augmentation(images)])
        return self.encoder(images, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        mean, log_variance, feature_map = y_pred[MEAN], y_pred[LOG_VARIANCE], y_pred[FEATURE_MAP]
        B, H, W, C = ops.shape(feature_map)
        code = self._sample(mean, log_variance) if training else mean
        locations = ops.reshape(feature_map, (B, H * W, C))
        summary = ops.reshape(feature_map, (B, 1, H * W * C)) if self.summary == "map" else code[:, None]

        prior = ops.mean(kl_to_standard_normal(mean, log_variance))
        self.terms["prior"].update_state(prior)
        return (
            self.prior_weight * prior
            + self.global_weight * self._information("global", self.global_critic, code, summary, training)
            + self.local_weight * self._information("local", self.local_critic, code, locations, training)
        )

    def _sample(self, mean, log_variance):
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.noise)
        return mean + ops.exp(log_variance / 2) * noise

    def _information(self, name, critic, code, features, training):
        if critic is None:
            return 0.0
        views = 2 if training and self.augmentation is not None else 1
        codes, maps = ops.split(code, views), ops.split(features, views)
        losses = []
        for one, other in zip(codes, reversed(maps), strict=True):
            positive, negative = critic(one, other, training=training)
            loss, bound = OBJECTIVES[self.objective](positive, negative)
            self.terms[name].update_state(loss)
            self.terms[f"{name}_bound"].update_state(bound)
            self.terms[f"{name}_accuracy"].update_state(critic_accuracy(positive, negative))
            losses.append(loss)
        return sum(losses) / views

    def save_own_variables(self, store):
        """Keras does not save the state of random generators; without it a resumed run draws anew."""
        store["noise"] = ops.convert_to_numpy(self.noise.state)

    def load_own_variables(self, store):
        self.noise.state.assign(store["noise"])

    def get_config(self):
        parts = ("encoder", "local_critic", "global_critic", "augmentation")
        settings = ("objective", "global_weight", "local_weight", "prior_weight", "summary", "seed")
        return {
            **super().get_config(),
            **{name: keras.saving.serialize_keras_object(getattr(self, name)) for name in parts},
            **{name: getattr(self, name) for name in settings},
        }

    @classmethod
    def from_config(cls, config):
        parts = {
            name: keras.saving.deserialize_keras_object(config.pop(name))
            for name in ("encoder", "local_critic", "global_critic", "augmentation")
        }
        return cls(**parts, **config)
