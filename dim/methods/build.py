"""From a configuration to a compiled model."""

import keras

from dim.choices import TARGETS
from dim.configuration import Configuration
from dim.device import best_precision
from dim.encoders import ENCODERS
from dim.encoders.decoder import mirrored_decoder
from dim.errors import DimError
from dim.layers.adversarial_prior import AdversarialPrior
from dim.layers.coordinates import CoordinatePrediction
from dim.layers.critics import CRITICS
from dim.layers.occlusion import Occlusion
from dim.layers.random_view import RandomView
from dim.layers.sigreg import SIGReg
from dim.methods import DeepInfoMax, MetricLearning, Supervised, VariationalAutoencoder, VICReg, expander

_WARM_UP = 0.05  # share of the steps


@keras.saving.register_keras_serializable("dim")
class AdamW(keras.optimizers.AdamW):
    """Keras' own, by the name that older checkpoints have for it."""


def build_model(
    configuration: Configuration, steps_per_epoch: int | None = None, classes: int | None = None
) -> keras.Model:
    """The model that a configuration describes, compiled, with the initial weights of its seed.

    Sets Keras' random seed and its dtype policy, both of which are global. A cosine schedule needs to know
    the steps of an epoch, the method `supervised` the number of classes. Raises ValueError if one of these
    is needed and missing.
    """
    c = configuration
    encoder = build_encoder(c)
    augmentation = RandomView(c.crop, size=c.view_size, seed=c.seed) if c.views == 2 else None
    if augmentation is not None:
        _check_view_size(c, encoder)
    kind, others = _METHODS[c.method]
    model = kind(encoder, augmentation=augmentation, name=c.method, **others(c, encoder, classes))
    model.build((None, c.image_size, c.image_size, 3))
    rate = _learning_rate(c, steps_per_epoch)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=c.weight_decay))
    model.optimizer.build(model.trainable_variables)
    return model


def build_encoder(configuration: Configuration, seed: int | None = None) -> keras.Model:
    """The encoder of such a model alone, with the same initial weights, or those of another seed.

    Sets what `build_model` sets.
    """
    c = configuration
    keras.utils.set_random_seed(c.seed if seed is None else seed)
    keras.config.set_dtype_policy(best_precision() if c.precision == "auto" else c.precision)
    return _encoder(c)


def check_model(model: keras.Model, configuration: Configuration) -> None:
    """Makes sure that a model which was read back is such as `build_model` makes.

    Raises ValueError if it is of another kind, lacks an optimizer, or has another encoder.
    """
    c, (kind, _) = configuration, _METHODS[configuration.method]
    if type(model) is not kind:
        raise ValueError(f"it is a {type(model).__name__}, not a {kind.__name__}")
    if model.optimizer is None:
        raise ValueError("it has no optimizer")
    with keras.StatelessScope(initialize_variables=False):  # the shapes will do
        expected = _encoder(c)
    ours, theirs = (sorted(tuple(w.shape) for w in encoder.weights) for encoder in (expected, model.encoder))
    if ours != theirs:
        wanted = f"{c.encoder} from {c.image_size} pixels to a code of {c.code_size}"
        raise ValueError(f"it has another encoder than {wanted}")


def _encoder(c: Configuration) -> keras.Model:
    return ENCODERS[c.encoder](c.image_size, c.code_size, gaussian=c.prior == "kl")


def _check_view_size(c: Configuration, encoder: keras.Model) -> None:
    """Raises DimError if the encoder cannot take views of that size."""
    V, S = c.view_size or c.image_size, encoder.input_shape[1] or c.image_size
    if encoder.input_shape[1] is not None and V != S:
        raise DimError(f"--view-size {V}: the {c.encoder} encoder takes images of {S} pixels and no others")
    try:
        encoder.compute_output_shape((None, V, V, 3))
    except ValueError as error:
        small = f"too small for the {c.encoder} encoder of images of {S} pixels"
        raise DimError(f"--view-size {V} is {small}; try {S // 2}") from error


def _deep_infomax(c: Configuration, encoder, classes) -> dict:
    discriminator = AdversarialPrior(c.prior, c.gamma, seed=c.seed) if c.prior in TARGETS else None
    return {
        "local_critic": _critic(c) if c.beta else None,
        "global_critic": _critic(c) if c.alpha else None,
        **{name: getattr(c, name) for name in ("objective", "summary", "clip", "seed")},
        "global_weight": c.alpha,
        "local_weight": c.beta,
        "prior_weight": c.gamma,
        "occlusion": Occlusion(c.occlusion, seed=c.seed) if c.occlusion else None,
        "prior_discriminator": discriminator,
        "sigreg": SIGReg(seed=c.seed) if c.prior == "sigreg" else None,
        "coordinates": CoordinatePrediction(c.critic_units, seed=c.seed) if c.delta else None,
        "coordinates_weight": c.delta,
    }


def _critic(c: Configuration) -> keras.layers.Layer:
    settings = {
        "encode-and-dot": {"units": c.critic_units, "temperature": c.temperature},
        "concatenate-and-convolve": {"widths": [c.critic_units] * c.critic_layers},
        "bilinear": {},
    }
    return CRITICS[c.critic](negatives=c.negatives, **settings[c.critic])


def _vae(c: Configuration, encoder, classes) -> dict:
    drawn = c.view_size if c.views == 2 else 0
    return {"decoder": mirrored_decoder(encoder, drawn or c.image_size), "seed": c.seed}


def _supervised(c: Configuration, encoder, classes) -> dict:
    if classes is None:
        raise ValueError("the method supervised needs to know the number of classes")
    return {"classes": classes}


def _metric(c: Configuration, encoder, classes) -> dict:
    return {"loss_name": c.loss, "margin": c.margin, "temperature": c.temperature}


_METHODS = {
    "dim": (DeepInfoMax, _deep_infomax),
    "vae": (VariationalAutoencoder, _vae),
    "vicreg": (VICReg, lambda *_: {"expander": expander()}),
    "supervised": (Supervised, _supervised),
    "metric": (MetricLearning, _metric),
}
"""The class of each, and what its constructor takes beside an encoder, views and a name."""


def _learning_rate(c: Configuration, steps_per_epoch: int | None):
    if c.schedule == "constant":
        return c.learning_rate
    if steps_per_epoch is None:
        raise ValueError("a cosine schedule needs to know the steps of an epoch")
    steps = c.epochs * steps_per_epoch
    rise = round(_WARM_UP * steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rise), warmup_target=c.learning_rate, warmup_steps=rise
    )
