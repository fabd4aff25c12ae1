"""The model: its terms against a loop, who gets gradient, training, saving."""

import keras
import numpy as np
import pytest
from keras import ops

from dim.augmentation import RandomView
from dim.build import build_model
from dim.configuration import Configuration
from dim.critics import EncodeAndDot
from dim.encoders import seed_encoder
from dim.model import DeepInfoMax
from dim.objectives import OBJECTIVES
from dim.presets import PRESETS

S, D, U, B = 16, 5, 6, 8


def images(count=B, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, S, S, 3), "uint8")


def configuration(preset="dim", **changes):
    small = {"image_size": S, "code_size": D, "critic_units": U, "batch_size": B, "epochs": 1}
    return Configuration(**{**vars(PRESETS[preset]()), **small, **changes})


def value(x):
    return float(ops.convert_to_numpy(x))


def loss_in_inference(model, x):
    return model.compute_loss(x=x, y_pred=model(x, training=False), training=False)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_loss_is_the_weighted_sum_of_its_terms_computed_apart(preset):
    model = build_model(configuration(preset, alpha=0.3, beta=0.7, gamma=0.2))
    outputs = {name: ops.convert_to_numpy(x) for name, x in model(images(), training=False).items()}
    features = outputs["feature_map"].reshape(B, -1, outputs["feature_map"].shape[-1])
    code = outputs["mean"]
    summary = features.reshape(B, 1, -1) if model.summary == "map" else code[:, None]
    objective = OBJECTIVES[model.objective]
    expected = 0.2 * np.mean((code**2 + np.exp(outputs["log_variance"]) - 1 - outputs["log_variance"]) / 2)
    expected += 0.3 * value(objective(*model.global_critic(code, summary)).loss)
    expected += 0.7 * value(objective(*model.local_critic(code, features)).loss)
    assert value(loss_in_inference(model, images())) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("left_out", "critic"), [("alpha", "global_critic"), ("beta", "local_critic")])
def test_a_weight_of_zero_leaves_the_term_out(left_out, critic):
    model = build_model(configuration(**{left_out: 0.0}))
    assert getattr(model, critic) is None
    logs = model.fit(images(), batch_size=B, verbose=0).history
    assert critic.removesuffix("_critic") not in logs and "prior" in logs


PARTS = ("below the split", "above the split", "local critic", "global critic")
FLOW = {
    "local": {"below the split", "above the split", "local critic"},
    "global": {"below the split", "above the split", "global critic"},
    "prior": {"below the split", "above the split"},
}


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="takes gradients with TensorFlow's tape")
@pytest.mark.parametrize("term", FLOW)
def test_each_term_sends_gradient_to_its_parts_and_no_others(term):
    import tensorflow as tf

    weights = {"local": (0, 1, 0), "global": (1, 0, 0), "prior": (0, 0, 1)}[term]
    critics = EncodeAndDot(U), EncodeAndDot(U)
    model = DeepInfoMax(seed_encoder(S, D), *critics, "infonce", *weights)
    model.build((None, S, S, 3))
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=images(), y_pred=model(images(), training=True))
    variables = [v.value for v in model.trainable_variables]
    gradients = tape.gradient(loss, variables)
    above = {w.path for layer in _layers_above_the_split(model.encoder) for w in layer.weights}
    reached = set()
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        if gradient is not None and np.abs(gradient.numpy()).max() > 0:
            reached.add(_part(model, variable, above))
    assert reached == FLOW[term]


def _layers_above_the_split(encoder):
    names = [layer.name for layer in encoder.layers]
    return encoder.layers[names.index("feature_map") + 1 :]


def _part(model, variable, above):
    if any(variable is v for v in model.local_critic.trainable_variables):
        return "local critic"
    if any(variable is v for v in model.global_critic.trainable_variables):
        return "global critic"
    return "above the split" if variable.path in above else "below the split"


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_training_lowers_the_loss_and_reports_every_term(preset, precision):
    model = build_model(configuration(preset, precision=precision, learning_rate=3e-3))
    history = model.fit(images(2 * B), batch_size=B, epochs=12, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    pairs = [f"{pair}{suffix}" for pair in ("global", "local") for suffix in ("", "_bound", "_accuracy")]
    assert set(history) == {"loss", "prior", *pairs}
    assert all(np.isfinite(values).all() for values in history.values())


def test_two_views_pair_the_code_of_one_with_the_map_of_the_other():
    views = RandomView(area=1.0, aspect=1.0, brightness=0, contrast=0, channels=0, grey=0)
    model = DeepInfoMax(seed_encoder(S, D), EncodeAndDot(U), None, augmentation=views)
    model.build((None, S, S, 3))
    outputs = model(images(), training=True)
    assert outputs["mean"].shape[0] == 2 * B
    seen = []
    model.local_critic.call = lambda code, features, training: (
        seen.append((code, features))
        or (
            ops.zeros((B, 1)),
            ops.zeros((B, 1, 1)),
        )
    )
    model._information("local", model.local_critic, outputs["mean"], outputs["mean"][:, None], True)
    first, second = (ops.convert_to_numpy(x) for x in ops.split(outputs["mean"], 2))
    for (code, features), (own, other) in zip(seen, [(first, second), (second, first)], strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(code), own)
        np.testing.assert_array_equal(ops.convert_to_numpy(features)[:, 0], other)


def test_codes_are_sampled_in_training_and_means_elsewhere():
    model = build_model(configuration())
    mean, log_variance = ops.full((4000, 2), 3.0), ops.full((4000, 2), np.log(4.0))
    sample = ops.convert_to_numpy(model._sample(mean, log_variance))
    assert sample.mean() == pytest.approx(3, abs=0.1) and sample.std() == pytest.approx(2, abs=0.1)
    assert value(loss_in_inference(model, images())) == value(loss_in_inference(model, images()))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("views", [1, 2])
def test_a_saved_model_goes_on_exactly_where_it_was(preset, views, tmp_path):
    model = build_model(configuration(preset, views=views))
    model.fit(images(), batch_size=B, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    twin = keras.saving.load_model(tmp_path / "model.keras")  # safe mode
    np.testing.assert_array_equal(
        model.encoder.predict(images(), verbose=0)["mean"], twin.encoder.predict(images(), verbose=0)["mean"]
    )
    assert int(twin.optimizer.iterations) == int(model.optimizer.iterations) == 1
    one, other = (m.fit(images(), batch_size=B, shuffle=False, verbose=0).history for m in (model, twin))
    assert one["loss"] == pytest.approx(other["loss"], rel=1e-6)


def test_the_same_seed_gives_the_same_training():
    histories = [
        build_model(configuration()).fit(images(), batch_size=B, verbose=0).history for _ in range(2)
    ]
    assert histories[0]["loss"] == pytest.approx(histories[1]["loss"], rel=1e-6)


@pytest.mark.parametrize("views", [1, 2])
def test_every_part_is_built_so_that_fit_needs_no_batch_to_find_out(views, tmp_path):
    """Keras on JAX and torch takes one from the data otherwise, and a resumed run would lose a batch."""
    model = build_model(configuration(views=views))
    model.save(tmp_path / "model.keras")
    for m in model, keras.saving.load_model(tmp_path / "model.keras"):
        assert all(layer.built for layer in m._flatten_layers())


def test_an_unknown_summary_is_refused():
    with pytest.raises(ValueError, match="summary must be one of"):
        DeepInfoMax(seed_encoder(S, D), None, EncodeAndDot(U), summary="image")
