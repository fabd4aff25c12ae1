"""The model: its terms against a loop, who gets gradient, training, saving."""

import keras
import numpy as np
import pytest
from keras import ops

from dim.configuration import Configuration
from dim.encoders import seed_encoder
from dim.layers.adversarial_prior import AdversarialPrior
from dim.layers.critics import EncodeAndDot
from dim.layers.occlusion import GREY
from dim.layers.random_view import RandomView
from dim.layers.sigreg import SIGReg
from dim.losses.objectives import OBJECTIVES
from dim.methods.build import build_model
from dim.methods.deep_infomax import DeepInfoMax
from dim.presets import PRESETS

S, D, U, B = 16, 5, 6, 8


def images(count=B, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, S, S, 3), "uint8")


def configuration(preset="dim", **changes):
    small = {"image_size": S, "code_size": D, "critic_units": U, "batch_size": B, "epochs": 1}
    small |= {"schedule": "constant", "negatives": min(PRESETS[preset]().negatives, B - 1)}
    return Configuration(**{**vars(PRESETS[preset]()), **small, **changes})


DIM_PRESETS = [name for name, preset in PRESETS.items() if preset().method == "dim"]
OTHERS = "dim", "seed", "rival-simclr"  # whose like learns in test_learner.py


def value(x):
    return float(ops.convert_to_numpy(x))


def by_view(x):
    return x[0::2], x[1::2]


def loss_in_inference(model, x):
    return model.compute_loss(x=x, y_pred=model(x, training=False), training=False)


@pytest.mark.parametrize(("preset", "prior"), [*((name, "kl") for name in DIM_PRESETS), ("dim", "none")])
def test_the_loss_is_the_weighted_sum_of_its_terms_computed_apart(preset, prior):
    weights = {"alpha": 0.3, "beta": 0.7, "gamma": 0.2, "delta": 0.0}
    model = build_model(configuration(preset, prior=prior, **weights))
    outputs = {name: ops.convert_to_numpy(x) for name, x in model(images(), training=False).items()}
    features = outputs["feature_map"].reshape(B, -1, outputs["feature_map"].shape[-1])
    code = outputs["mean"]
    summary = features.reshape(B, 1, -1) if model.summary == "map" else code[:, None]
    objective = OBJECTIVES[model.objective]
    expected = 0.3 * value(objective(*model.global_critic(code, summary)).loss)
    expected += 0.7 * value(objective(*model.local_critic(code, features)).loss)
    if prior == "kl":
        log_variance = outputs["log_variance"]
        expected += 0.2 * np.mean((code**2 + np.exp(log_variance) - 1 - log_variance) / 2)
    assert value(loss_in_inference(model, images())) == pytest.approx(expected, rel=1e-4)


def test_sigreg_tests_each_view_apart_and_is_weighted():
    free, full = (build_model(configuration(prior=prior, gamma=0.3)) for prior in ("none", "sigreg"))
    outputs = full(images(3 * B), training=False)  # taken for those of two views
    full.sigreg.random.state.assign([1, 2])
    without, loss = (value(model.compute_loss(y_pred=outputs)) for model in (free, full))
    full.sigreg.random.state.assign([1, 2])
    expected = np.mean([value(full.sigreg(view)) for view in by_view(outputs["mean"])])
    assert value(full.terms["prior"].result()) == pytest.approx(expected, rel=1e-5)
    assert loss - without == pytest.approx(0.3 * expected, rel=1e-3)


def test_the_adversarial_prior_and_the_coordinates_are_added_to_the_rest():
    free = build_model(configuration(prior="none"))
    full = build_model(configuration(prior="normal", gamma=0.3, delta=0.5))
    full.encoder.set_weights(free.encoder.get_weights())
    for name in "local_critic", "global_critic":
        getattr(full, name).set_weights(getattr(free, name).get_weights())
    difference = value(loss_in_inference(full, images())) - value(loss_in_inference(free, images()))
    terms = {name: value(full.terms[name].result()) for name in ("prior", "coordinates")}
    assert difference == pytest.approx(terms["prior"] + 0.5 * terms["coordinates"], rel=1e-3)
    assert 0 <= value(full.terms["prior_accuracy"].result()) <= 1


def test_clipped_scores_and_their_penalty():
    model = build_model(configuration(alpha=0.0, prior="none", clip=0.5))
    outputs = model(images(), training=False)
    features = ops.reshape(outputs["feature_map"], (B, -1, outputs["feature_map"].shape[-1]))
    positive, negative = (
        ops.convert_to_numpy(x) for x in model.local_critic(outputs["mean"], features, training=False)
    )
    squares = np.concatenate([positive.ravel(), negative.ravel()]) ** 2
    clipped = [0.5 * np.tanh(x / 0.5) for x in (positive, negative)]
    expected = value(OBJECTIVES["infonce"](*clipped).loss) + 0.05 * squares.mean()
    assert np.abs(positive).max() > 0.5
    assert value(loss_in_inference(model, images())) == pytest.approx(expected, rel=1e-4)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(("left_out", "critic"), [("alpha", "global_critic"), ("beta", "local_critic")])
def test_a_weight_of_zero_leaves_the_term_out(left_out, critic):
    model = build_model(configuration(**{left_out: 0.0}))
    assert getattr(model, critic) is None
    logs = model.fit(images(), batch_size=B, verbose=0).history
    assert critic.removesuffix("_critic") not in logs and "prior" in logs


def test_terms_are_reported_for_what_is_there():
    pairs = [f"{pair}{suffix}" for pair in ("global", "local") for suffix in ("", "_bound", "_accuracy")]
    assert set(build_model(configuration()).terms) == {"prior", *pairs}
    assert set(build_model(configuration(prior="none", alpha=0.0)).terms) == set(pairs[3:])
    names = set(build_model(configuration(prior="sphere", delta=1.0)).terms)
    assert names == {"prior", "prior_accuracy", "coordinates", *pairs}


ENCODER = {"below the split", "above the split"}
FLOW = {
    # term: what receives gradient from it, and nothing else does
    "local": ({"beta": 1.0}, ENCODER | {"local critic"}),
    "global": ({"alpha": 1.0}, ENCODER | {"global critic"}),
    "global, code with code": ({"alpha": 1.0, "summary": "code"}, ENCODER | {"global critic"}),
    "prior by KL": ({"gamma": 1.0}, ENCODER),
    "prior by a discriminator": ({"gamma": 1.0, "prior": "uniform"}, ENCODER | {"prior discriminator"}),
    "prior by a test": ({"gamma": 1.0, "prior": "sigreg"}, ENCODER),
    "its discriminator's side": ({"gamma": 0.0, "prior": "uniform"}, {"prior discriminator"}),
    "coordinates": ({"delta": 1.0}, ENCODER | {"coordinates"}),
}
OFF = {"alpha": 1e-30, "beta": 1e-30, "gamma": 0.0, "delta": 1e-30}  # there, and without effect


def gradients(model, x):
    """The gradient of the training loss for each trainable variable, on any backend."""
    keras_variables = model.trainable_variables

    def loss(values):
        with keras.StatelessScope(list(zip(keras_variables, values, strict=True))):
            return model.compute_loss(x=x, y_pred=model(x, training=True))

    values = [ops.convert_to_numpy(v) for v in keras_variables]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        values = [tf.constant(v) for v in values]
        with tf.GradientTape() as tape:
            tape.watch(values)
            y = loss(values)
        found = tape.gradient(y, values, unconnected_gradients="zero")
    elif keras.backend.backend() == "jax":
        import jax

        found = jax.grad(loss)(values)
    else:
        import torch

        values = [torch.tensor(v, requires_grad=True) for v in values]
        loss(values).backward()
        found = [torch.zeros_like(v) if v.grad is None else v.grad for v in values]
    return [ops.convert_to_numpy(g) for g in found]


@pytest.mark.parametrize("term", FLOW)
def test_each_term_sends_gradient_to_its_parts_and_no_others(term):
    settings, parts = FLOW[term]
    model = build_model(configuration(views=1, **{"prior": "kl", **OFF, **settings}))
    above = {w.path for layer in _layers_above_the_split(model.encoder) for w in layer.weights}
    reached = {
        _part(model, variable, above)
        for variable, gradient in zip(model.trainable_variables, gradients(model, images()), strict=True)
        if np.abs(gradient).max() > 1e-12
    }
    assert reached == parts


def test_the_encoder_works_against_the_discriminator_and_not_with_it():
    """A step along minus its gradient lowers the discriminator's loss in T and raises it in the encoder."""
    settings = {"views": 1, "prior": "uniform", "gamma": 1.0, "alpha": 1e-30, "beta": 1e-30}
    for part, sign in ("prior discriminator", -1), ("encoder", 1):
        model = build_model(configuration(**settings))

        def discriminator_loss(model=model):
            model.prior_discriminator.random.state.assign([1, 2])  # the same draws from the prior
            return value(model.prior_discriminator(model(images(), training=False)["mean"])[0])

        before = discriminator_loss()
        variables = model.trainable_variables
        moved = {id(v) for v in (model.encoder if part == "encoder" else model.prior_discriminator).variables}
        for variable, gradient in zip(variables, inference_gradients(model, images()), strict=True):
            if id(variable) in moved:
                variable.assign(ops.convert_to_numpy(variable) - 1e-3 * gradient)
        assert sign * (discriminator_loss() - before) > 0


def inference_gradients(model, x):
    call, model.call = model.call, lambda images, training: call(images, training=False)
    try:
        model.prior_discriminator.random.state.assign([1, 2])
        return gradients(model, x)
    finally:
        model.call = call


def _layers_above_the_split(encoder):
    names = [layer.name for layer in encoder.layers]
    return encoder.layers[names.index("feature_map") + 1 :]


def _part(model, variable, above):
    if any(variable is v for v in model.local_critic.trainable_variables):
        return "local critic"
    if any(variable is v for v in model.global_critic.trainable_variables):
        return "global critic"
    for name in "prior_discriminator", "coordinates":
        part = getattr(model, name)
        if part is not None and any(variable is v for v in part.trainable_variables):
            return name.replace("_", " ")
    return "above the split" if variable.path in above else "below the split"


@pytest.mark.parametrize(
    "preset", ["paper-local-dv", *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]
)
def test_training_raises_the_bounds_and_reports_every_term(preset):
    """The total need not fall: a discriminator and an encoder work against each other in it."""
    model = build_model(configuration(preset, precision="float32", learning_rate=1e-3))
    history = model.fit(images(2 * B), batch_size=B, epochs=12, verbose=0).history
    for name in "local", "global":
        assert name not in history or history[name][-1] < history[name][0]
    assert set(history) == {"loss", *model.terms}
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
    first, second = (ops.convert_to_numpy(x) for x in by_view(outputs["mean"]))
    for (code, features), (own, other) in zip(seen, [(first, second), (second, first)], strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(code), own)
        np.testing.assert_array_equal(ops.convert_to_numpy(features)[:, 0], other)


def test_codes_are_sampled_in_training_and_means_elsewhere():
    model = build_model(configuration())
    mean, log_variance = ops.full((4000, 2), 3.0), ops.full((4000, 2), np.log(4.0))
    sample = ops.convert_to_numpy(model.sample({"mean": mean, "log_variance": log_variance}))
    assert sample.mean() == pytest.approx(3, abs=0.1) and sample.std() == pytest.approx(2, abs=0.1)
    assert value(loss_in_inference(model, images())) == value(loss_in_inference(model, images()))


@pytest.mark.usefixtures("eagerly")
def test_the_same_seed_gives_the_same_training():
    histories = [
        build_model(configuration()).fit(images(), batch_size=B, verbose=0).history for _ in range(2)
    ]
    assert histories[0]["loss"] == pytest.approx(histories[1]["loss"], rel=1e-6)


def test_an_unknown_summary_is_refused():
    with pytest.raises(ValueError, match="summary must be one of"):
        DeepInfoMax(seed_encoder(S, D), None, EncodeAndDot(U), summary="image")


@pytest.mark.parametrize("prior", [{"prior_discriminator": AdversarialPrior()}, {"sigreg": SIGReg()}])
def test_a_posterior_and_a_prior_of_codes_exclude_each_other(prior):
    with pytest.raises(ValueError, match="gaussian=False"):
        DeepInfoMax(seed_encoder(S, D), EncodeAndDot(U), None, **prior)


def test_two_priors_of_codes_exclude_each_other():
    priors = {"prior_discriminator": AdversarialPrior(), "sigreg": SIGReg()}
    with pytest.raises(ValueError, match="give one of them"):
        DeepInfoMax(seed_encoder(S, D, gaussian=False), EncodeAndDot(U), None, **priors)


@pytest.mark.parametrize("views", [1, 2])
def test_codes_come_from_the_occluded_image_and_maps_from_the_whole_one(views):
    model = build_model(configuration(views=views, occlusion=0.9))
    seen = []
    encoder = model.encoder
    model.encoder = lambda x, training: (seen.append(ops.convert_to_numpy(x)), encoder(x, training=training))[
        1
    ]
    outputs = model(images(), training=True)
    model.encoder = encoder
    (fed,) = seen
    hidden, whole = np.split(fed, 2)
    assert len(hidden) == views * B and (hidden == GREY).mean() > 0.6 and (whole == GREY).mean() < 0.1
    assert all(x.shape[0] == views * B for x in outputs.values())
    if views == 1:
        np.testing.assert_array_equal(whole, images())
    everything = {name: ops.convert_to_numpy(x) for name, x in encoder(fed, training=True).items()}
    np.testing.assert_allclose(
        ops.convert_to_numpy(outputs["mean"]), everything["mean"][: views * B], atol=1e-5
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(outputs["feature_map"]), everything["feature_map"][views * B :], atol=1e-5
    )


@pytest.mark.parametrize("clip", [0.0, 0.5])
def test_the_loss_of_two_views_is_the_mean_of_both_ways(clip):
    model = build_model(configuration(prior="none", views=2, alpha=0.3, beta=0.7, clip=clip))
    outputs = model(images(), training=True)
    codes = by_view(outputs["mean"])
    maps = by_view(ops.reshape(outputs["feature_map"], (2 * B, -1, outputs["feature_map"].shape[-1])))
    expected = 0.0
    for code, features in zip(codes, reversed(maps), strict=True):
        whole = ops.reshape(features, (B, 1, -1))
        for weight, critic, x in (0.3, model.global_critic, whole), (0.7, model.local_critic, features):
            scores = [ops.convert_to_numpy(s) for s in critic(code, x, training=True)]
            if clip:
                expected += weight / 2 * 0.05 * np.mean(np.concatenate([s.ravel() for s in scores]) ** 2)
                scores = [clip * np.tanh(s / clip) for s in scores]
            expected += weight / 2 * value(OBJECTIVES["infonce"](*scores).loss)
    assert value(model.compute_loss(x=images(), y_pred=outputs)) == pytest.approx(expected, rel=1e-4)


def test_the_two_views_of_an_image_differ_and_outside_training_there_are_none():
    model, seen = build_model(configuration(views=2)), []
    model.encoder = lambda x, training=False: seen.append(ops.convert_to_numpy(x))
    model(images(), training=True)
    first, second = by_view(seen[0])
    assert all((one != other).any() for one, other in zip(first, second, strict=True))
    model(images(), training=False)
    np.testing.assert_array_equal(seen[1], images())


def test_the_seed_decides_what_is_sampled():
    mean, log_variance = ops.zeros((3, 2)), ops.zeros((3, 2))
    one, again, other = (
        ops.convert_to_numpy(
            build_model(configuration(seed=seed)).sample({"mean": mean, "log_variance": log_variance})
        )
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
