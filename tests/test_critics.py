"""Critics against loops over pairs, with every size different."""

import keras
import numpy as np
import pytest
from keras import ops

from dim.critics import CRITICS, ConcatenateAndConvolve, EncodeAndDot, NearIdentity, ResidualProjection

B, L, C, D, U = 5, 6, 7, 4, 9


def inputs(seed=0, locations=L):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(B, D)).astype("float32"), rng.normal(size=(B, locations, C)).astype("float32")


def built(critic, locations=L):
    critic.build((None, D), (None, locations, C))
    rng = np.random.default_rng(1)
    critic.set_weights(
        [rng.uniform(0.3, 1, w.shape) * rng.choice([1, 1, -1], w.shape) for w in critic.weights]
    )
    for block in getattr(critic, "code_projection", None), getattr(critic, "feature_projection", None):
        if block is not None:
            block.normalise_hidden.moving_variance.assign(rng.uniform(0.5, 2, U))
    return critic


def dense(x, layer):
    bias = 0 if layer.bias is None else ops.convert_to_numpy(layer.bias)
    return x @ ops.convert_to_numpy(layer.kernel) + bias


def normalised(x, layer, mean, variance):
    gamma, beta = ops.convert_to_numpy(layer.gamma), ops.convert_to_numpy(layer.beta)
    return gamma * (x - mean) / np.sqrt(variance + layer.epsilon) + beta


def project(x, block):
    """A `ResidualProjection` of one vector, in inference, written out."""
    norm = block.normalise_hidden
    moving = ops.convert_to_numpy(norm.moving_mean), ops.convert_to_numpy(norm.moving_variance)
    hidden = np.maximum(0, normalised(dense(x, block.hidden), norm, *moving))
    y = dense(hidden, block.output_layer) + dense(x, block.shortcut)
    return normalised(y, block.normalise_output, y.mean(), y.var())


def encode_and_dot_of_a_pair(critic, code, feature):
    return project(code, critic.code_projection) @ project(feature, critic.feature_projection) / np.sqrt(U)


def concatenate_and_convolve_of_a_pair(critic, code, feature):
    x = dense(np.concatenate([code, feature]), critic.first)
    for layer in (*critic.rest, critic.score):
        x = dense(np.maximum(0, x), layer)
    return x[0]


CASES = {
    "encode-and-dot": (
        lambda: EncodeAndDot(U),
        encode_and_dot_of_a_pair,
        B - 1,
        lambda i, k: k if k < i else k + 1,
    ),
    "concatenate-and-convolve": (
        lambda: ConcatenateAndConvolve((U, U + 1), negatives=3),
        concatenate_and_convolve_of_a_pair,
        3,
        lambda i, k: (i + k + 1) % B,
    ),
}


def test_every_critic_is_tested_here():
    assert set(CRITICS) == set(CASES)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("locations", [L, 1])
def test_scores_are_those_of_the_right_pairs(name, locations):
    make, score, K, partner = CASES[name]
    critic = built(make(), locations)
    code, features = inputs(locations=locations)
    positive, negative = (ops.convert_to_numpy(s) for s in critic(code, features))
    assert positive.shape == (B, locations) and negative.shape == (B, K, locations)
    for i in range(B):
        for m in range(locations):
            assert positive[i, m] == pytest.approx(score(critic, code[i], features[i, m]), rel=1e-3, abs=1e-4)
            for k in range(K):
                other = features[partner(i, k), m]
                assert negative[i, k, m] == pytest.approx(score(critic, code[i], other), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_no_true_pair_is_among_the_mismatched_ones(name):
    """Changing the features of an image changes no mismatched score of its own code."""
    make, *_ = CASES[name]
    critic = built(make())
    code, features = inputs()
    _, before = critic(code, features)
    for i in range(B):
        changed = features.copy()
        changed[i] += 1
        _, after = critic(code, changed)
        np.testing.assert_array_equal(ops.convert_to_numpy(after)[i], ops.convert_to_numpy(before)[i])
        assert not np.allclose(ops.convert_to_numpy(after), ops.convert_to_numpy(before))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_scores_are_float32_in_any_precision(name, precision):
    keras.config.set_dtype_policy(precision)
    critic = built(CASES[name][0]())
    assert all("float32" in str(scores.dtype) for scores in critic(*inputs()))


@pytest.mark.parametrize("name", CASES)
def test_a_critic_survives_serialisation(name):
    critic = built(CASES[name][0]())
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(critic))
    if not twin.built:
        twin.build((None, D), (None, L, C))
    twin.set_weights(critic.get_weights())
    for one, other in zip(critic(*inputs()), twin(*inputs()), strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(one), ops.convert_to_numpy(other))


def test_the_critic_of_the_seed_model_has_its_number_of_parameters():
    critic = ConcatenateAndConvolve((256, 256, 256))
    critic.build((None, 256), (None, 16, 256))
    assert critic.count_params() == 263_169


def test_batch_statistics_move_in_training_only():
    block = ResidualProjection(U)
    block.build((None, C))
    x = np.random.default_rng(0).normal(3, 2, size=(B, C)).astype("float32")
    before = ops.convert_to_numpy(block.normalise_hidden.moving_mean)
    block(x, training=False)
    np.testing.assert_array_equal(before, ops.convert_to_numpy(block.normalise_hidden.moving_mean))
    block(x, training=True)
    assert not np.allclose(before, ops.convert_to_numpy(block.normalise_hidden.moving_mean))


@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (5, 5)])
def test_the_shortcut_starts_near_the_identity(shape):
    kernel = ops.convert_to_numpy(NearIdentity()(shape, "float32"))
    diagonal = np.eye(*shape, dtype=bool)
    assert (kernel[diagonal] == 1).all()
    assert (abs(kernel[~diagonal]) <= 0.01).all() and kernel[~diagonal].std() > 0.001
