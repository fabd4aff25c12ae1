"""Deep InfoMax itself: encoder, critics, prior and auxiliary tasks in one Keras model."""

import keras
from keras import ops

from dim.encoders import FEATURE_MAP, LOG_VARIANCE, MEAN
from dim.layers.random_state import SavesRandomState
from dim.losses.objectives import OBJECTIVES, critic_accuracy, mean_square, soft_clip
from dim.losses.priors import kl_to_standard_normal

SUMMARIES = ("map", "code")
CLIP_PENALTY = 0.05


@keras.saving.register_keras_serializable("dim")
class DeepInfoMax(SavesRandomState, keras.Model):
    """Learns an encoder by raising lower bounds on the information that codes carry about images.

        loss = α · global + β · local + γ · prior  (+ δ · coordinates)        (Hjelm et al. 2019, eq. 8)

    Local: the code of an image against each of the H·W locations of its feature map. Global: the
    code against one summary of the whole map. Prior, where the encoder has a posterior: KL from it to
    N(0, I), averaged over the dimensions of the code, which is sampled from it while training. Prior,
    where it has none: a discriminator against which the encoder works, or nothing.

    With an augmentation, training encodes two views of each image, and the code of either is scored
    against the feature map of the other (as in AMDIM, https://arxiv.org/abs/1906.00910). With an
    occlusion, codes come from images of which part is hidden, feature maps from the whole ones.

    Compile with an optimizer alone and fit on batches of uint8 images [B, H0, W0, 3], B ≥ 2, without
    targets. Only `encoder` is needed afterwards; calling the model calls the encoder.

    Args:
        encoder: a model of `dim.encoders`.
        local_critic, global_critic: layers of `dim.layers.critics`; None leaves the term out.
        objective: a name in `dim.losses.objectives.OBJECTIVES`.
        global_weight, local_weight, prior_weight: α, β and γ.
        summary: what the global critic compares a code with: `map`, the flattened feature map, or
            `code`, the sampled code (that of the other view, if there is one; otherwise the same
            again, as in Su Jianlin's model, where the global term is a test of equality).
        clip: scores are softly kept within ± this, with AMDIM's penalty; 0 leaves them alone.
        augmentation: a layer from images to random views of them, such as `RandomView`;
            None takes the images as they are.
        occlusion: a layer that hides part of images, `dim.layers.occlusion.Occlusion`, or None.
        prior_discriminator: an `AdversarialPrior`, which has its own weight, or None.
        coordinates: a `dim.layers.coordinates.CoordinatePrediction`, or None.
        coordinates_weight: δ.
        seed: of the sampling.

    Raises:
        ValueError: the summary is unknown, or the encoder has a posterior and there is a discriminator
            as well.
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
        clip: float = 0.0,
        augmentation: keras.layers.Layer | None = None,
        occlusion: keras.layers.Layer | None = None,
        prior_discriminator: keras.layers.Layer | None = None,
        coordinates: keras.layers.Layer | None = None,
        coordinates_weight: float = 1.0,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if summary not in SUMMARIES:
            raise ValueError(f"summary must be one of {SUMMARIES}, not {summary!r}")
        gaussian = LOG_VARIANCE in encoder.output
        if gaussian and prior_discriminator is not None:
            raise ValueError("a prior discriminator wants an encoder without a posterior: gaussian=False")
        self.encoder, self.local_critic, self.global_critic = encoder, local_critic, global_critic
        self.augmentation, self.occlusion = augmentation, occlusion
        self.prior_discriminator, self.coordinates = prior_discriminator, coordinates
        self.objective, self.summary, self.clip, self.seed = objective, summary, clip, seed
        self.global_weight, self.local_weight, self.prior_weight = global_weight, local_weight, prior_weight
        self.coordinates_weight = coordinates_weight
        self.random = keras.random.SeedGenerator(seed)
        names = ["prior"] if gaussian else []
        if prior_discriminator is not None:
            names = ["prior", "prior_accuracy"]
        for pair, critic in ("global", global_critic), ("local", local_critic):
            names += [] if critic is None else [pair, f"{pair}_bound", f"{pair}_accuracy"]
        names += [] if coordinates is None else ["coordinates"]
        self.terms = {name: keras.metrics.Mean(name) for name in names}

    def build(self, input_shape):
        shapes = self.encoder.compute_output_shape(input_shape)
        B, D = shapes[MEAN]
        _, H, W, C = shapes[FEATURE_MAP]
        summary_shape = (B, 1, H * W * C if self.summary == "map" else D)
        for part, *part_shapes in (
            (self.augmentation, input_shape),
            (self.occlusion, input_shape),
            (self.local_critic, (B, D), (B, H * W, C)),
            (self.global_critic, (B, D), summary_shape),
            (self.prior_discriminator, (B, D)),
            (self.coordinates, (B, D), (B, H, W, C)),
        ):
            if part is not None and not part.built:  # a reloaded part comes already built
                part.build(*part_shapes)

    def call(self, images, training=False):
        if not training:
            return self.encoder(images)
        if self.augmentation is not None:
            images = ops.concatenate([self.augmentation(images), self.augmentation(images)])
        if self.occlusion is None:
            return self.encoder(images, training=True)
        outputs = self.encoder(ops.concatenate([self.occlusion(images), images]), training=True)
        occluded, whole = ({name: x[half] for name, x in outputs.items()} for half in _halves(images))
        return {**occluded, FEATURE_MAP: whole[FEATURE_MAP]}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        mean, feature_map = y_pred[MEAN], y_pred[FEATURE_MAP]
        B, H, W, C = ops.shape(feature_map)
        code = self._sample(mean, y_pred[LOG_VARIANCE]) if training and LOG_VARIANCE in y_pred else mean
        locations = ops.reshape(feature_map, (B, H * W, C))
        summary = ops.reshape(feature_map, (B, 1, H * W * C)) if self.summary == "map" else code[:, None]
        loss = (
            self._prior(y_pred)
            + self.global_weight * self._information("global", self.global_critic, code, summary, training)
            + self.local_weight * self._information("local", self.local_critic, code, locations, training)
        )
        if self.coordinates is None:
            return loss
        coordinates = self.coordinates(code, feature_map)
        self.terms["coordinates"].update_state(coordinates)
        return loss + self.coordinates_weight * coordinates

    def _sample(self, mean, log_variance):
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.random)
        return mean + ops.exp(log_variance / 2) * noise

    def _prior(self, outputs):
        if self.prior_discriminator is not None:
            loss, accuracy = self.prior_discriminator(outputs[MEAN])
            self.terms["prior"].update_state(loss)
            self.terms["prior_accuracy"].update_state(accuracy)
            return loss
        if LOG_VARIANCE not in outputs:
            return 0.0
        prior = ops.mean(kl_to_standard_normal(outputs[MEAN], outputs[LOG_VARIANCE]))
        self.terms["prior"].update_state(prior)
        return self.prior_weight * prior

    def _information(self, name, critic, code, features, training):
        if critic is None:
            return 0.0
        views = 2 if training and self.augmentation is not None else 1
        codes, maps = ops.split(code, views), ops.split(features, views)
        losses = []
        for one, other in zip(codes, reversed(maps), strict=True):
            positive, negative = critic(one, other, training=training)
            self.terms[f"{name}_accuracy"].update_state(critic_accuracy(positive, negative))
            penalty = 0.0
            if self.clip:
                penalty = CLIP_PENALTY * mean_square(positive, negative)
                positive, negative = soft_clip(positive, self.clip), soft_clip(negative, self.clip)
            loss, bound = OBJECTIVES[self.objective](positive, negative)
            self.terms[name].update_state(loss)
            self.terms[f"{name}_bound"].update_state(bound)
            losses.append(loss + penalty)
        return sum(losses) / views

    def get_config(self):
        return {
            **super().get_config(),
            **{name: keras.saving.serialize_keras_object(getattr(self, name)) for name in _PARTS},
            **{name: getattr(self, name) for name in _SETTINGS},
        }

    @classmethod
    def from_config(cls, config):
        parts = {name: keras.saving.deserialize_keras_object(config.pop(name)) for name in _PARTS}
        return cls(**parts, **config)


_PARTS = (
    "encoder",
    "local_critic",
    "global_critic",
    "augmentation",
    "occlusion",
    "prior_discriminator",
    "coordinates",
)
_SETTINGS = (
    "objective",
    "global_weight",
    "local_weight",
    "prior_weight",
    "summary",
    "clip",
    "coordinates_weight",
    "seed",
)


def _halves(images):
    B = ops.shape(images)[0]
    return slice(None, B), slice(B, None)
