"""What holds for every method: who learns, that it learns, that it can be saved and gone on with."""

import keras
import numpy as np
import pytest

from dim.choices import METHODS
from dim.encoders import FEATURE_MAP, LOG_VARIANCE, MEAN, backbone_encoder
from dim.encoders.decoder import mirrored_decoder
from dim.layers.adversarial_prior import AdversarialPrior
from dim.layers.coordinates import CoordinatePrediction
from dim.layers.critics import Bilinear, ConcatenateAndConvolve, EncodeAndDot
from dim.layers.occlusion import Occlusion
from dim.layers.random_view import RandomView
from dim.methods import DeepInfoMax, MetricLearning, Supervised, VariationalAutoencoder, VICReg, expander

S, D, U, B, CLASSES = 16, 5, 7, 8, 3


def views():
    return RandomView(seed=1)


def everything(encoder):
    return DeepInfoMax(
        encoder,
        Bilinear(),
        Bilinear(),
        clip=20.0,
        augmentation=views(),
        occlusion=Occlusion(0.4, seed=2),
        prior_discriminator=AdversarialPrior(weight=0.1, seed=2),
        coordinates=CoordinatePrediction(U, seed=2),
        seed=2,
    )


def of_one_view(encoder):
    critics = (ConcatenateAndConvolve((U, U), negatives=1) for _ in range(2))
    return DeepInfoMax(encoder, *critics, objective="jsd", summary="code", seed=2)


# a newcomer adds a line
LEARNERS = {
    "dim": lambda encoder: DeepInfoMax(
        encoder, EncodeAndDot(U), EncodeAndDot(U), augmentation=views(), seed=2
    ),
    "dim of one view": of_one_view,
    "dim with everything": everything,
    "vae": lambda encoder: VariationalAutoencoder(encoder, mirrored_decoder(encoder, S), seed=2),
    "vae of views": lambda encoder: VariationalAutoencoder(
        encoder, mirrored_decoder(encoder, S), augmentation=views(), seed=2
    ),
    "vicreg": lambda encoder: VICReg(encoder, expander(U), views()),
    "supervised": lambda encoder: Supervised(encoder, CLASSES),
    "supervised on views": lambda encoder: Supervised(encoder, CLASSES, views()),
    "metric": lambda encoder: MetricLearning(encoder, "supcon"),
    "metric on views": lambda encoder: MetricLearning(encoder, "supcon", augmentation=views()),
}
OF_MEANS = [name for name in LEARNERS if name.split()[0] in ("vicreg", "supervised", "metric")]
each = pytest.mark.parametrize("name", LEARNERS)


def images(count=2 * B, seed=0):
    """A colour for each quarter, so that two views have something in common."""
    return (
        np.random.default_rng(seed)
        .integers(0, 256, (count, 2, 2, 3), "uint8")
        .repeat(S // 2, 1)
        .repeat(S // 2, 2)
    )


def data(name, count=2 * B):
    with_labels = name.split()[0] in ("supervised", "metric")
    return (images(count), np.arange(count) % CLASSES) if with_labels else (images(count),)


def narrow(gaussian=True):
    """An encoder of few channels: many processors have no float16 and take a hundred times as long by it."""
    x = image = keras.Input((S, S, 3))
    for layer in "map", "more":
        x = keras.layers.LeakyReLU()(keras.layers.Conv2D(8, 3, 2, "same", name=layer)(x))
    return backbone_encoder(keras.Model(image, x), "map", S, D, gaussian)


def build(name, optimizer=None, gaussian=True):
    keras.utils.set_random_seed(3)
    model = LEARNERS[name](narrow(gaussian and name != "dim with everything"))
    model.build((None, S, S, 3))
    model.compile(optimizer or keras.optimizers.AdamW(1e-2))
    model.optimizer.build(model.trainable_variables)
    return model


def test_every_method_is_tested_here():
    assert {name.split()[0] for name in LEARNERS} == set(METHODS)


def learns(model, name, count=2 * B):
    """Trains a few steps, in which the loss falls and every term is reported.

    With a discriminator the total need not fall: it and the encoder work against each other in it.
    """
    history = model.fit(*data(name, count), batch_size=B, epochs=24, verbose=0).history
    falling = history["local" if name == "dim with everything" else "loss"]
    assert min(falling) < {"dim with everything": 0.98}.get(name, 0.95) * falling[0]
    assert set(history) == {"loss", *model.terms}
    assert all(np.isfinite(values).all() for values in history.values())


@each
def test_it_learns_by_gradients_of_every_kernel_that_should_and_no_other_and_can_be_evaluated(name):
    """The last batch of an epoch is smaller than the others."""
    model = build(name, keras.optimizers.Adam(1e-2))  # without decay only a gradient moves a weight
    variables = {v.path: v for v in model.variables if v.name == "kernel"}
    before = {path: keras.ops.convert_to_numpy(v).copy() for path, v in variables.items()}
    learns(model, name, 2 * B - 3)
    still = {path for path, v in variables.items() if (before[path] == keras.ops.convert_to_numpy(v)).all()}
    assert still == {path for path in variables if LOG_VARIANCE in path and name in OF_MEANS}
    assert len(still) == (name in OF_MEANS) and len(variables) >= len(still) + 3
    once, again = (
        model.evaluate(*data(name, 2 * B - 3), batch_size=B, verbose=0, return_dict=True) for _ in range(2)
    )
    assert np.isfinite(once["loss"]) and (once == again or "everything" in name)  # which draws a prior


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_it_learns_in_half_precision(precision, name):
    keras.config.set_dtype_policy(precision)
    learns(build(name), name)


def steps(model, name, count):
    """The losses of so many steps, each on the same batch."""
    return model.fit(*data(name, B), batch_size=B, epochs=count, shuffle=False, verbose=0).history["loss"]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", ("vicreg", "supervised", "metric"))
def test_an_encoder_without_a_log_variance_learns_too(name):
    model = build(name, gaussian=False)
    assert set(model(images(), training=False)) == {MEAN, FEATURE_MAP}
    losses = steps(model, name, 8)
    assert min(losses) < losses[0]


@each
def test_calling_a_learner_calls_its_encoder(name):
    model = build(name)
    outputs, expected = (m(images(), training=False) for m in (model, model.encoder))
    assert set(outputs) == set(expected)
    for key in outputs:
        np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(x[key]) for x in (outputs, expected)))


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", [name for name in LEARNERS if f"{name} on views" not in LEARNERS])
def test_in_bfloat16_it_trains_and_saved_it_goes_on_exactly_where_it_was(name, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = build(name)
    assert np.isfinite(steps(model, name, 2)).all()
    model.save(tmp_path / "model.keras")
    keras.config.set_dtype_policy("float32")
    twin = keras.saving.load_model(tmp_path / "model.keras")  # safe mode
    assert all(layer.built for m in (model, twin) for layer in m._flatten_layers())  # or JAX takes a batch
    codes = [m.encoder.predict(images(), verbose=0)[MEAN] for m in (model, twin)]
    np.testing.assert_array_equal(*codes)
    assert int(twin.optimizer.iterations) == 2
    one, other = (steps(m, name, 2) for m in (model, twin))
    assert one == pytest.approx(other, rel=1e-6)


@pytest.mark.parametrize("name", OF_MEANS)
def test_a_log_variance_that_no_term_reaches_is_set_aside_so_that_it_does_not_decay(name):
    model = build(name)
    assert [layer.name for layer in model.encoder.layers if not layer.trainable] == [LOG_VARIANCE]
    assert not [v.path for v in model.trainable_variables if LOG_VARIANCE in v.path]


def test_a_checkpoint_of_a_method_that_never_samples_loads_without_a_random_state(tmp_path, monkeypatch):
    """As those have it that were written before every learner had a generator."""
    model = build("supervised")
    monkeypatch.setattr(Supervised, "save_own_variables", lambda self, store: None)
    model.save(tmp_path / "model.keras")
    twin = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(*(m.encoder.predict(images(), verbose=0)[MEAN] for m in (model, twin)))
