"""What holds for every rival: who learns, that it learns, that it can be saved and gone on with."""

import keras
import numpy as np
import pytest

from dim.encoders import FEATURE_MAP, LOG_VARIANCE, MEAN, backbone_encoder, seed_encoder
from dim.encoders.decoder import mirrored_decoder
from dim.layers.random_view import RandomView
from dim.methods import MetricLearning, Supervised, VariationalAutoencoder, VICReg, expander

S, D, U, B, CLASSES = 16, 5, 7, 8, 3
RIVALS = "vae", "vae of views", "vicreg", "supervised", "supervised on views", "metric", "metric on views"
WITHOUT_LOG_VARIANCE = RIVALS[2:]


def images(count=2 * B, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, S, S, 3), "uint8")


def data(rival, count=2 * B):
    labels = np.arange(count) % CLASSES
    return (images(count),) if "vae" in rival or rival == "vicreg" else (images(count), labels)


def build(rival, encoder=None, optimizer=None):
    keras.utils.set_random_seed(3)
    encoder = seed_encoder(S, D) if encoder is None else encoder
    views = None if rival in ("vae", "supervised", "metric") else RandomView(seed=1)
    if "vae" in rival:
        model = VariationalAutoencoder(encoder, mirrored_decoder(encoder), augmentation=views, seed=2)
    elif rival == "vicreg":
        model = VICReg(encoder, expander(U), views)
    elif "metric" in rival:
        model = MetricLearning(encoder, "supcon", augmentation=views)
    else:
        model = Supervised(encoder, CLASSES, views)
    model.build((None, S, S, 3))
    model.compile(optimizer or keras.optimizers.AdamW(1e-3))
    model.optimizer.build(model.trainable_variables)
    return model


def narrow():
    """An encoder of few channels: many processors have no float16 and take a hundred times as long by it."""
    x = image = keras.Input((S, S, 3))
    for layer in "map", "more":
        x = keras.layers.LeakyReLU()(keras.layers.Conv2D(8, 3, 2, "same", name=layer)(x))
    return backbone_encoder(keras.Model(image, x), "map", S, D)


def without_log_variance(encoder):
    return keras.Model(encoder.input, {name: encoder.output[name] for name in (MEAN, FEATURE_MAP)})


def kernels(model):
    parts = {"encoder": model.encoder}
    parts |= {
        name: getattr(model, name) for name in ("decoder", "expander", "logits") if hasattr(model, name)
    }
    return {
        f"{part}: {variable.path}": variable
        for part, layer in parts.items()
        for variable in layer.variables
        if variable.name == "kernel"
    }


@pytest.mark.parametrize("rival", RIVALS)
def test_gradient_reaches_every_kernel_that_should_learn_and_no_other(rival):
    model = build(rival, optimizer=keras.optimizers.SGD(1e-2))
    variables = kernels(model)
    before = {name: variable.numpy().copy() for name, variable in variables.items()}
    model.fit(*data(rival), batch_size=2 * B, verbose=0)
    still = {name for name, variable in variables.items() if np.array_equal(before[name], variable.numpy())}
    expected = {n for n in variables if LOG_VARIANCE in n and n.startswith("encoder") and "vae" not in rival}
    assert still == expected and len(variables) > len(still) + 4
    assert len(still) == (0 if "vae" in rival else 1)


@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_a_few_steps_lower_the_loss_and_every_term_is_reported(rival, precision):
    keras.config.set_dtype_policy(precision)
    in_float16 = precision == "mixed_float16"
    model = build(rival, *((narrow(), keras.optimizers.AdamW(1e-2)) if in_float16 else ()))
    history = model.fit(*data(rival), batch_size=B, epochs=24 if in_float16 else 12, verbose=0).history
    assert min(history["loss"]) < 0.95 * history["loss"][0]
    assert set(history) == {"loss", *model.terms}
    assert all(np.isfinite(values).all() for values in history.values())


@pytest.mark.parametrize("rival", WITHOUT_LOG_VARIANCE)
def test_an_encoder_without_a_log_variance_learns_too(rival):
    model = build(rival, without_log_variance(seed_encoder(S, D)))
    assert set(model(images(), training=False)) == {MEAN, FEATURE_MAP}
    history = model.fit(*data(rival), batch_size=B, epochs=12, verbose=0).history
    assert np.mean(history["loss"][-3:]) < 0.95 * history["loss"][0]


@pytest.mark.parametrize("rival", RIVALS)
def test_calling_a_rival_calls_its_encoder(rival):
    model = build(rival)
    outputs, expected = (m(images(), training=False) for m in (model, model.encoder))
    assert set(outputs) == set(expected)
    for name in outputs:
        np.testing.assert_array_equal(
            *(keras.ops.convert_to_numpy(keras.ops.cast(x[name], "float32")) for x in (outputs, expected))
        )


@pytest.mark.parametrize("rival", RIVALS)
def test_a_saved_rival_goes_on_exactly_where_it_was(rival, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = build(rival)
    model.fit(*data(rival), batch_size=B, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    keras.config.set_dtype_policy("float32")
    twin = keras.saving.load_model(tmp_path / "model.keras")  # safe mode
    codes = [m.encoder.predict(images(), verbose=0)[MEAN] for m in (model, twin)]
    np.testing.assert_array_equal(*codes)
    assert int(twin.optimizer.iterations) == 2
    one, other = (m.fit(*data(rival), batch_size=B, shuffle=False, verbose=0).history for m in (model, twin))
    assert one["loss"] == pytest.approx(other["loss"], rel=1e-6)


@pytest.mark.parametrize("rival", RIVALS)
def test_every_part_is_built_so_that_fit_needs_no_batch_to_find_out(rival, tmp_path):
    model = build(rival)
    model.save(tmp_path / "model.keras")
    for m in model, keras.saving.load_model(tmp_path / "model.keras"):
        assert all(layer.built for layer in m._flatten_layers())


@pytest.mark.parametrize("rival", RIVALS)
def test_a_last_batch_of_another_size_and_evaluation_work(rival):
    model = build(rival)
    model.fit(*data(rival, 2 * B - 3), batch_size=B, verbose=0)
    once, again = (
        model.evaluate(*data(rival, 2 * B - 3), batch_size=B, verbose=0, return_dict=True) for _ in range(2)
    )
    assert once == again and np.isfinite(once["loss"])


@pytest.mark.parametrize("rival", WITHOUT_LOG_VARIANCE)
def test_a_log_variance_that_no_term_reaches_is_set_aside_so_that_it_does_not_decay(rival):
    model = build(rival)
    assert [layer.name for layer in model.encoder.layers if not layer.trainable] == [LOG_VARIANCE]
    assert not [v.path for v in model.trainable_variables if LOG_VARIANCE in v.path]
