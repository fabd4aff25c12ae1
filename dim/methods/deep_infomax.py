"""Deep InfoMax itself: encoder, critics, prior and auxiliary tasks in one Keras model."""

import keras
from keras import ops
from keras.layers import Layer

from dim.choices import SUMMARIES
from dim.encoders import FEATURE_MAP, LOG_VARIANCE, MEAN
from dim.losses.objectives import OBJECTIVES, critic_accuracy, mean_square, soft_clip
from dim.losses.priors import kl_to_standard_normal
from dim.methods.learner import Learner, build

CLIP_PENALTY = 0.05


@keras.saving.register_keras_serializable("dim")
class DeepInfoMax(Learner):
    """Learns an encoder by raising lower bounds on the information that codes carry about images.

        loss = γ · prior + α · global + β · local (+ δ · coordinates)        (Hjelm et al. 2019, eq. 8)

    Local: the code of an image against each of the H·W locations of its feature map. Global: the code
    against one summary of the whole map. Prior, where the encoder has a posterior: KL from it to N(0, I),
    averaged over the dimensions of the code, which is sampled from it while training. Prior, where it has
    none: a discriminator against which the encoder works, a test for N(0, I), view by view, or nothing.

    With an augmentation, training encodes two views of each image, and the code of either is scored against
    the feature map of the other (as in AMDIM, https://arxiv.org/abs/1906.00910). With an occlusion, codes
    come from images of which part is hidden, feature maps from the whole ones.

    Fit on batches of uint8 images [B, H0, W0, 3], B ≥ 2, without targets.

    Args:
        encoder: a model of `dim.encoders`.
        local_critic, global_critic: layers of `dim.layers.critics`; None leaves the term out.
        objective: a name in `dim.losses.objectives.OBJECTIVES`.
        global_weight, local_weight, prior_weight, coordinates_weight: α, β, γ and δ.
        summary: what the global critic compares a code with: `map`, the flattened feature map, or `code`, the
            sampled code (that of the other view, if there is one; otherwise the same again, as in Su
            Jianlin's model, where the global term is a test of equality).
        clip: scores are softly kept within ± this, with AMDIM's penalty; 0 leaves them alone.
        augmentation: a layer from images to random views, such as `RandomView`; None takes them as they are.
        occlusion: an `Occlusion`, which hides part of images, or None.
        prior_discriminator: an `AdversarialPrior`, which has its own weight, or None.
        sigreg: a `SIGReg`, or None.
        coordinates: a `CoordinatePrediction`, or None.
        seed: of the sampling.

    Raises:
        ValueError: the summary is unknown, or there is more than one prior.
    """

    views = 2

    def __init__(
        self,
        encoder: keras.Model,
        local_critic: Layer | None,
        global_critic: Layer | None,
        objective: str = "infonce",
        global_weight: float = 0.5,
        local_weight: float = 1.0,
        prior_weight: float = 0.01,
        summary: str = "map",
        clip: float = 0.0,
        augmentation: Layer | None = None,
        occlusion: Layer | None = None,
        prior_discriminator: Layer | None = None,
        coordinates: Layer | None = None,
        coordinates_weight: float = 1.0,
        sigreg: Layer | None = None,
        seed: int = 0,
        **kwargs,
    ):
        gaussian = LOG_VARIANCE in encoder.output
        if summary not in SUMMARIES:
            raise ValueError(f"summary must be one of {SUMMARIES}, not {summary!r}")
        if gaussian and (prior_discriminator or sigreg):
            raise ValueError("a prior of codes wants an encoder without a posterior: gaussian=False")
        if prior_discriminator and sigreg:
            raise ValueError("prior_discriminator and sigreg are two priors; give one of them")
        terms = ["prior"] * bool(gaussian or prior_discriminator or sigreg)
        terms += ["prior_accuracy"] * bool(prior_discriminator)
        for pair, critic in ("global", global_critic), ("local", local_critic):
            terms += [pair, f"{pair}_bound", f"{pair}_accuracy"] * (critic is not None)
        terms += ["coordinates"] * (coordinates is not None)
        super().__init__(encoder, augmentation, terms, seed, **kwargs)
        self.local_critic, self.global_critic, self.occlusion = local_critic, global_critic, occlusion
        self.prior_discriminator, self.sigreg, self.coordinates = prior_discriminator, sigreg, coordinates
        self.objective, self.summary, self.clip = objective, summary, clip
        self.global_weight, self.local_weight, self.prior_weight = global_weight, local_weight, prior_weight
        self.coordinates_weight = coordinates_weight

    def build(self, input_shape):
        super().build(input_shape)
        if self.augmentation is not None:
            input_shape = self.augmentation.compute_output_shape(input_shape)
        shapes = self.encoder.compute_output_shape(input_shape)
        code, (B, H, W, C) = shapes[MEAN], shapes[FEATURE_MAP]
        build(self.occlusion, input_shape)
        build(self.local_critic, code, (B, H * W, C))
        build(self.global_critic, code, (B, 1, H * W * C if self.summary == "map" else code[-1]))
        build(self.prior_discriminator, code)
        build(self.sigreg, code)
        build(self.coordinates, code, (B, H, W, C))

    def call(self, images, training=False):
        if not training or self.occlusion is None:
            return super().call(images, training=training)
        images = self.seen(images)
        outputs = self.encoder(ops.concatenate([self.occlusion(images), images]), training=True)
        halves = {name: ops.split(x, 2) for name, x in outputs.items()}
        return {name: whole if name == FEATURE_MAP else hidden for name, (hidden, whole) in halves.items()}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        feature_map = y_pred[FEATURE_MAP]
        B, H, W, C = ops.shape(feature_map)
        code = self.sample(y_pred) if training else y_pred[MEAN]
        locations = ops.reshape(feature_map, (B, H * W, C))
        summary = ops.reshape(feature_map, (B, 1, H * W * C)) if self.summary == "map" else code[:, None]
        loss = (
            self._prior(y_pred, training)
            + self.global_weight * self._information("global", self.global_critic, code, summary, training)
            + self.local_weight * self._information("local", self.local_critic, code, locations, training)
        )
        if self.coordinates is not None:
            loss += self.coordinates_weight * self.record("coordinates", self.coordinates(code, feature_map))
        return loss

    def _prior(self, outputs, training):
        if self.prior_discriminator is not None:
            loss, accuracy = self.prior_discriminator(outputs[MEAN])
            self.record("prior_accuracy", accuracy)
            return self.record("prior", loss)
        if self.sigreg is not None:
            views = self.by_view(outputs[MEAN], training)
            tested = sum(self.sigreg(code) for code in views) / len(views)
            return self.prior_weight * self.record("prior", tested)
        if LOG_VARIANCE not in outputs:
            return 0.0
        kl = kl_to_standard_normal(outputs[MEAN], outputs[LOG_VARIANCE])
        return self.prior_weight * self.record("prior", ops.mean(kl))

    def _information(self, name, critic, code, features, training):
        if critic is None:
            return 0.0
        codes, others, losses = self.by_view(code, training), self.by_view(features, training)[::-1], []
        for one, other in zip(codes, others, strict=True):
            scores = critic(one, other, training=training)
            loss, bound = OBJECTIVES[self.objective](*(soft_clip(s, self.clip) for s in scores))
            self.record(name, loss)
            self.record(f"{name}_bound", bound)
            self.record(f"{name}_accuracy", critic_accuracy(*scores))
            losses.append(loss + (CLIP_PENALTY * mean_square(*scores) if self.clip else 0.0))
        return sum(losses) / len(losses)
