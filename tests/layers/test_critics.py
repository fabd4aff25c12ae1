"""Critics against loops over pairs, with every size different, for every number of negatives."""

import keras
import numpy as np
import pytest
from keras import ops

from dim.layers.critics import (
    CRITICS,
    Bilinear,
    ConcatenateAndConvolve,
    EncodeAndDot,
    NearIdentity,
    ResidualProjection,
)

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


def cosine_of_a_pair(critic, code, feature):
    p, q = project(code, critic.code_projection), project(feature, critic.feature_projection)
    return p @ q / np.linalg.norm(p) / np.linalg.norm(q) / 0.2


def concatenate_and_convolve_of_a_pair(critic, code, feature):
    x = dense(np.concatenate([code, feature]), critic.first)
    for layer in (*critic.rest, critic.score):
        x = dense(np.maximum(0, x), layer)
    return x[0]


def bilinear_of_a_pair(critic, code, feature):
    W = ops.convert_to_numpy(critic.kernel)
    return sum(code[d] * W[d, c] * feature[c] for d in range(D) for c in range(C)) / np.sqrt(C)


# a critic with K negatives, and the score of one pair
CASES = {
    "encode-and-dot": (lambda K: EncodeAndDot(U, negatives=K), encode_and_dot_of_a_pair),
    "encode-and-dot, cosine": (lambda K: EncodeAndDot(U, negatives=K, temperature=0.2), cosine_of_a_pair),
    "concatenate-and-convolve": (
        lambda K: ConcatenateAndConvolve((U, U + 1), negatives=K),
        concatenate_and_convolve_of_a_pair,
    ),
    "bilinear": (lambda K: Bilinear(negatives=K), bilinear_of_a_pair),
}


def others(i, K):
    """The images that code i is mismatched with."""
    return [(i + k) % B for k in range(1, (K or B - 1) + 1)]


def test_every_critic_is_tested_here():
    assert set(CRITICS) == {name.split(",")[0] for name in CASES}


def test_by_default_every_other_image_is_a_negative():
    assert all(critic().negatives == 0 for critic in CRITICS.values())


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("locations", [L, 1])
@pytest.mark.parametrize("K", [0, 1, 3, B - 1])
def test_scores_are_those_of_the_right_pairs(name, locations, K):
    make, score = CASES[name]
    critic = built(make(K), locations)
    code, features = inputs(locations=locations)
    positive, negative = (ops.convert_to_numpy(s) for s in critic(code, features))
    assert positive.shape == (B, locations) and negative.shape == (B, K or B - 1, locations)
    for i in range(B):
        for m in range(locations):
            assert positive[i, m] == pytest.approx(score(critic, code[i], features[i, m]), rel=1e-3, abs=1e-4)
            expected = [score(critic, code[i], features[j, m]) for j in others(i, K)]
            np.testing.assert_allclose(sorted(negative[i, :, m]), sorted(expected), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("locations", [L, 1])
@pytest.mark.parametrize("K", range(B))
def test_no_true_pair_is_among_the_mismatched_ones(name, locations, K):
    """With one code for all images and features that name theirs, each score tells whose feature it saw."""
    critic = built(CASES[name][0](K), locations)
    code = np.tile(inputs()[0][:1], (B, 1))
    features = np.tile(np.eye(B, C, dtype="float32")[:, None], (1, locations, 1))
    positive, negative = (ops.convert_to_numpy(s) for s in critic(code, features))
    for m in range(locations):
        score_of_image = positive[:, m]
        apart = np.diff(np.sort(score_of_image)).min()
        for i in range(B):
            distances = abs(negative[i, :, m, None] - score_of_image)
            assert distances.min(axis=1).max() < apart / 100
            assert sorted(distances.argmin(axis=1)) == sorted(others(i, K))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("K", [0, 2])
def test_an_image_bears_on_its_own_mismatched_scores_by_its_code_alone(name, K):
    """Changing the features of an image changes no mismatched score of its own code."""
    critic = built(CASES[name][0](K))
    code, features = inputs()
    _, before = critic(code, features)
    for i in range(B):
        changed = features.copy()
        changed[i] += 1
        _, after = critic(code, changed)
        np.testing.assert_array_equal(ops.convert_to_numpy(after)[i], ops.convert_to_numpy(before)[i])
        assert not np.allclose(ops.convert_to_numpy(after), ops.convert_to_numpy(before))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("K", [B, B + 3])
def test_more_negatives_than_other_images_are_refused(name, K):
    with pytest.raises(ValueError, match=f"{K} negatives need .* at least {K + 1} images, this one has {B}"):
        built(CASES[name][0](K))(*inputs())


@pytest.mark.parametrize("critic", CRITICS.values())
def test_a_negative_number_of_negatives_is_refused(critic):
    with pytest.raises(ValueError, match="not -1"):
        critic(negatives=-1)


def test_a_negative_temperature_is_refused():
    with pytest.raises(ValueError, match=r"not -0\.1"):
        EncodeAndDot(U, temperature=-0.1)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="elsewhere a batch always has its size")
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("K", [0, 2])
def test_a_batch_of_a_size_unknown_before_it_comes(name, K):
    import tensorflow as tf

    critic = built(CASES[name][0](K))
    shapes = [tf.TensorSpec((None, D)), tf.TensorSpec((None, L, C))]
    traced = tf.function(lambda code, features: critic(code, features), input_signature=shapes)
    for expected, found in zip(critic(*inputs()), traced(*inputs()), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_temperature_bounds_the_scores_and_keeps_out_the_length_of_the_projections():
    critic = built(EncodeAndDot(U, temperature=0.2))
    before = [ops.convert_to_numpy(s) for s in critic(*inputs())]
    assert max(abs(s).max() for s in before) <= 1 / 0.2 + 1e-5
    for projection in critic.code_projection, critic.feature_projection:
        norm = projection.normalise_output
        norm.gamma.assign(3 * norm.gamma)
        norm.beta.assign(3 * norm.beta)
    for one, other in zip(before, critic(*inputs()), strict=True):
        np.testing.assert_allclose(one, ops.convert_to_numpy(other), rtol=1e-4, atol=1e-5)


def test_a_pair_of_equal_projections_scores_one_over_the_temperature():
    critic = EncodeAndDot(U, temperature=0.25)
    critic.build((None, D), (None, 1, D))
    critic.feature_projection.set_weights(critic.code_projection.get_weights())
    code, _ = inputs()
    positive, negative = critic(code, code[:, None])
    np.testing.assert_allclose(ops.convert_to_numpy(positive), 4, rtol=1e-5)
    assert (ops.convert_to_numpy(negative) < 4).all()


def test_bilinear_scores_of_standard_normal_inputs_begin_with_a_variance_near_one():
    rng = np.random.default_rng(0)
    critic = Bilinear()
    critic.build((None, 128), (None, 4, 128))
    code, features = rng.normal(size=(60, 128)), rng.normal(size=(60, 4, 128))
    _, negative = critic(code.astype("float32"), features.astype("float32"))
    assert np.std(ops.convert_to_numpy(negative)) == pytest.approx(1, rel=0.1)


def test_bilinear_has_one_matrix():
    critic = built(Bilinear())
    assert [tuple(w.shape) for w in critic.weights] == [(D, C)]


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
