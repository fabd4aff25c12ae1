"""From a configuration to a model."""

from dataclasses import replace
from itertools import pairwise

import keras
import numpy as np
import pytest
from keras import ops

from dim.configuration import Configuration
from dim.layers.critics import Bilinear, ConcatenateAndConvolve, EncodeAndDot
from dim.methods import MetricLearning, Supervised, VariationalAutoencoder, VICReg
from dim.methods.build import AdamW, build_encoder, build_model
from dim.methods.deep_infomax import DeepInfoMax

SMALL = {"image_size": 16, "code_size": 5, "critic_units": 6, "critic_layers": 3}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("encode-and-dot", EncodeAndDot),
        ("concatenate-and-convolve", ConcatenateAndConvolve),
        ("bilinear", Bilinear),
    ],
)
def test_the_critics_are_those_of_the_configuration(name, kind):
    model = build_model(Configuration(critic=name, negatives=3, **SMALL))
    assert type(model.local_critic) is type(model.global_critic) is kind
    assert model.local_critic.negatives == model.global_critic.negatives == 3
    if kind is ConcatenateAndConvolve:
        assert model.local_critic.widths == (6, 6, 6)


@pytest.mark.parametrize(("precision", "dtype"), [("float32", "float32"), ("mixed_bfloat16", "bfloat16")])
def test_the_layers_compute_in_the_precision_of_the_configuration(precision, dtype):
    model = build_model(Configuration(precision=precision, **SMALL))
    assert model.encoder.get_layer("feature_map").compute_dtype == dtype


@pytest.mark.parametrize("views", [1, 2])
def test_two_views_have_an_augmentation(views):
    assert (build_model(Configuration(views=views, **SMALL)).augmentation is None) == (views == 1)


def test_the_optimizer_is_that_of_the_configuration_and_ready_to_be_saved():
    model = build_model(Configuration(learning_rate=0.02, weight_decay=0.3, **SMALL))
    assert isinstance(model.optimizer, keras.optimizers.AdamW) and model.optimizer.built
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02)
    assert model.optimizer.weight_decay == 0.3


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("dim", DeepInfoMax),
        ("vae", VariationalAutoencoder),
        ("vicreg", VICReg),
        ("supervised", Supervised),
        ("metric", MetricLearning),
    ],
)
def test_the_method_is_that_of_the_configuration(method, kind):
    model = build_model(Configuration(method=method, temperature=0.1, **SMALL), classes=3)
    assert type(model) is kind and model.optimizer.built
    assert model.encoder.output["mean"].shape == (None, 5)


def test_the_loss_of_metric_learning_is_that_of_the_configuration():
    settings = {"method": "metric", "loss": "triplet-semi-hard", "margin": 0.3, "temperature": 0.6}
    model = build_model(Configuration(**settings, **SMALL))
    assert (model.loss_name, model.margin, model.temperature) == ("triplet-semi-hard", 0.3, 0.6)
    assert model.augmentation is not None
    assert build_model(Configuration(views=1, **settings, **SMALL)).augmentation is None


def test_a_supervised_model_needs_the_number_of_classes():
    with pytest.raises(ValueError, match="number of classes"):
        build_model(Configuration(method="supervised", **SMALL))


def test_the_parts_of_the_method_are_those_of_the_configuration():
    plain = build_model(Configuration(prior="none", **SMALL))
    assert plain.occlusion is plain.coordinates is plain.prior_discriminator is None
    assert "log_variance" not in plain.encoder.output
    options = {"prior": "sphere", "gamma": 0.2, "occlusion": 0.3, "delta": 0.5, "clip": 20.0}
    full = build_model(Configuration(temperature=0.1, **options, **SMALL))
    assert (full.prior_discriminator.target, full.prior_discriminator.weight) == ("sphere", 0.2)
    assert (full.occlusion.side, full.coordinates_weight, full.clip) == (0.3, 0.5, 20.0)
    assert full.local_critic.temperature == 0.1
    assert build_model(Configuration(crop=0.6, **SMALL)).augmentation.area == 0.6


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("method", ["dim", "vae", "vicreg"])
def test_views_of_another_size_train_an_encoder_of_images(method):
    settings = {"alpha": 0.0, "method": method, "view_size": 8, "batch_size": 4, "precision": "float32"}
    model = build_model(Configuration(**settings, **SMALL))
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), "uint8")
    assert model.seen(images).shape[1:] == (8, 8, 3)
    assert np.isfinite(model.train_on_batch(images, return_dict=True)["loss"])
    assert model.encoder(images)["feature_map"].shape[1:3] == (4, 4)


@pytest.mark.parametrize(
    ("settings", "pieces"),
    [
        ({"encoder": "basic32", "view_size": 12}, ("--view-size 12", "basic32", "16 pixels and no others")),
        ({"view_size": 2}, ("--view-size 2 is too small", "seed", "try 8")),
    ],
)
def test_views_that_an_encoder_cannot_take_are_refused(settings, pieces, refused):
    with refused(*pieces):
        build_model(Configuration(alpha=0.0, **settings, **SMALL))


@pytest.mark.slow
def test_the_default_preset_begins_calmly_from_every_seed():
    """A log-variance that does not start at 0 has a KL of 5 to 76 nats a dimension here."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (8, 4, 4, 3), "uint8").repeat(4, 1).repeat(4, 2)
    settings = {"image_size": 16, "critic_units": 16, "batch_size": 8, "precision": "float32"}
    model = build_model(Configuration(**settings))
    for seed in range(12):
        fresh = build_model(Configuration(seed=seed, **settings))
        model.set_weights(fresh.get_weights())
        for variable in model.optimizer.variables:
            if variable.name != "learning_rate":
                variable.assign(ops.zeros(variable.shape, variable.dtype))
        logs = []
        for _ in range(20):
            model.reset_metrics()
            logs.append(model.train_on_batch(images, return_dict=True))
        assert max(float(log["loss"]) for log in logs) < 2 * float(logs[0]["loss"]), seed
        assert max(float(log["prior"]) for log in logs) < 4, seed


def test_a_cosine_schedule_rises_falls_and_ends_at_zero():
    configuration = Configuration(schedule="cosine", learning_rate=0.1, epochs=10, **SMALL)
    rate = build_model(configuration, steps_per_epoch=20).optimizer._learning_rate
    rates = [float(rate(step)) for step in range(201)]
    assert rates[0] == 0 and max(rates) == pytest.approx(0.1) and rates[-1] == pytest.approx(0, abs=1e-6)
    assert rates.index(max(rates)) == 10
    assert all(a <= b for a, b in pairwise(rates[:11]))
    assert all(a >= b for a, b in pairwise(rates[10:]))
    with pytest.raises(ValueError, match="steps of an epoch"):
        build_model(configuration)


@pytest.mark.parametrize("prior", ["kl", "none"])
def test_an_encoder_alone_has_the_weights_of_the_model_of_its_seed(prior):
    configuration = Configuration(image_size=16, code_size=6, prior=prior, seed=3, precision="float32")
    expected = build_model(configuration).encoder.get_weights()
    for encoder in build_encoder(configuration), build_encoder(replace(configuration, seed=8), seed=3):
        for one, other in zip(encoder.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_weights_of_the_terms_are_those_of_the_configuration():
    settings = {"alpha": 0.3, "beta": 0.7, "gamma": 0.02, "delta": 0.4, "clip": 5.0, "objective": "jsd"}
    model = build_model(Configuration(**settings, **SMALL))
    weights = model.global_weight, model.local_weight, model.prior_weight, model.coordinates_weight
    assert weights == (0.3, 0.7, 0.02, 0.4) and (model.clip, model.objective) == (5.0, "jsd")


def test_the_seed_is_that_of_the_weights_and_of_everything_random():
    options = {"prior": "sphere", "occlusion": 0.3, "delta": 0.5}
    one, again, other = (build_model(Configuration(seed=seed, **options, **SMALL)) for seed in (1, 1, 2))
    for part in one, one.augmentation, one.occlusion, one.coordinates, one.prior_discriminator:
        assert part.seed == 1
    for critic in "encoder", "local_critic", "global_critic":
        first, second, third = (getattr(model, critic).get_weights() for model in (one, again, other))
        assert all((a == b).all() for a, b in zip(first, second, strict=True))
        assert any((a != b).any() for a, b in zip(first, third, strict=True))
    for method in "vae", "vicreg", "supervised", "metric":
        model = build_model(
            Configuration(method=method, seed=4, crop=0.7, temperature=0.1, **SMALL), classes=3
        )
        assert (model.augmentation.seed, model.augmentation.area) == (4, 0.7)


@pytest.mark.usefixtures("eagerly")
def test_a_checkpoint_that_names_our_former_adamw_loads_and_resumes(tmp_path):
    model = build_model(Configuration(precision="float32", **SMALL))
    model.compile(AdamW(0.02, weight_decay=0.03))
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), "uint8")
    model.train_on_batch(images)
    model.save(tmp_path / "model.keras")
    twin = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(twin.optimizer, keras.optimizers.AdamW) and int(twin.optimizer.iterations) == 1
    assert twin.optimizer.get_config() == model.optimizer.get_config()
    one, other = (m.train_on_batch(images, return_dict=True) for m in (model, twin))
    assert float(one["loss"]) == pytest.approx(float(other["loss"]), rel=1e-6)
