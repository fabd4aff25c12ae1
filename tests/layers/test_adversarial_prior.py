"""The adversarial prior against a loop, its targets and its gradients."""

import keras
import numpy as np
import pytest
from keras import ops

from dim.choices import TARGETS
from dim.layers.adversarial_prior import AdversarialPrior, reverse_gradient


def value(x):
    return float(ops.convert_to_numpy(x))


def codes(B=6, D=4, seed=0):
    return np.random.default_rng(seed).normal(size=(B, D)).astype("float32")


def softplus(x):
    return np.log1p(np.exp(x))


@pytest.mark.parametrize("target", TARGETS)
def test_the_adversarial_loss_is_binary_cross_entropy_of_prior_against_codes(target):
    prior = AdversarialPrior(target, seed=2)
    prior.build((None, 4))
    prior.random.state.assign([5, 6])
    v = ops.convert_to_numpy(prior._sample((6, 4)))
    z = codes()
    y = {
        "uniform": 1 / (1 + np.exp(-z)),
        "normal": z,
        "sphere": z / np.linalg.norm(z, axis=1, keepdims=True),
    }[target]

    def discriminate(x):
        for dense in prior.dense:
            kernel, bias = dense.get_weights()
            x = x @ kernel + bias
            x = np.maximum(x, 0) if dense.units > 1 else x
        return x

    prior.random.state.assign([5, 6])
    loss, accuracy = prior(z)
    t_prior, t_code = discriminate(v), discriminate(y)
    assert value(loss) == pytest.approx(softplus(-t_prior).mean() + softplus(t_code).mean(), rel=1e-4)
    assert value(accuracy) == pytest.approx(((t_prior > 0).mean() + (t_code < 0).mean()) / 2)


def test_a_discriminator_that_says_nothing_costs_two_log_two():
    prior = AdversarialPrior()
    prior.build((None, 4))
    prior.dense[-1].set_weights([np.zeros((200, 1)), np.zeros(1)])
    assert value(prior(codes())[0]) == pytest.approx(2 * np.log(2), rel=1e-6)


@pytest.mark.parametrize(
    ("target", "mean", "square"), [("uniform", 0.5, 1 / 3), ("normal", 0, 1), ("sphere", 0, 1 / 5)]
)
def test_draws_have_the_moments_of_the_prior(target, mean, square):
    draws = ops.convert_to_numpy(AdversarialPrior(target)._sample((20_000, 5)))
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.03)
    np.testing.assert_allclose((draws**2).mean(axis=0), square, atol=0.03)
    if target == "sphere":
        np.testing.assert_allclose(np.linalg.norm(draws, axis=1), 1, rtol=1e-5)
    if target == "uniform":
        assert draws.min() >= 0 and draws.max() <= 1


def test_a_reversed_gradient_keeps_the_values_and_turns_the_gradient(gradient):
    x = codes()
    same = reverse_gradient(ops.convert_to_tensor(x), 0.3)
    np.testing.assert_allclose(ops.convert_to_numpy(same), x, rtol=1e-5)
    weights = ops.convert_to_tensor(codes(seed=1))
    found = gradient(lambda x: ops.sum(reverse_gradient(x, 0.3) * weights), x)
    np.testing.assert_allclose(found, -0.3 * codes(seed=1), rtol=1e-4, atol=1e-6)


def test_the_encoder_gets_minus_gamma_times_the_gradient_of_the_discriminators_loss(gradient):
    weak, strong = (AdversarialPrior("normal", weight=w) for w in (0.25, 1.0))
    for prior in weak, strong:
        prior.build((None, 4))
    weak.set_weights(strong.get_weights())

    def discriminator_loss(z):  # only the codes' half depends on them
        return ops.mean(ops.softplus(strong._discriminate(z)))

    plain = gradient(discriminator_loss, codes())
    np.testing.assert_allclose(gradient(lambda z: weak(z)[0], codes()), -0.25 * plain, rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(gradient(lambda z: strong(z)[0], codes()), -plain, rtol=1e-3, atol=1e-7)


def test_codes_of_zero_have_a_place_on_the_sphere_and_finite_gradients(gradient):
    prior = AdversarialPrior("sphere")
    prior.build((None, 4))
    assert np.isfinite(gradient(lambda z: prior(z)[0], np.zeros((3, 4), "float32"))).all()


class Codes(keras.Model):
    """Codes that are free parameters, under the prior alone."""

    def __init__(self, prior, count, D):
        super().__init__()
        self.prior = prior
        self.codes = self.add_weight(shape=(count, D), initializer=keras.initializers.RandomNormal(3.0, 0.3))

    def build(self, input_shape):
        self.prior.build(self.codes.shape)

    def call(self, x):
        return self.codes + 0 * ops.sum(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return self.prior(self.codes)[0]


@pytest.mark.slow
def test_trained_against_the_discriminator_codes_come_to_have_the_prior():
    keras.utils.set_random_seed(0)
    model = Codes(AdversarialPrior("normal", weight=1.0), 256, 2)
    model.build((None, 1))
    before = ops.convert_to_numpy(model.codes)
    assert abs(before.mean() - 3) < 0.1
    model.compile(keras.optimizers.Adam(5e-3, beta_1=0.5))
    model.fit(np.zeros((1000, 1), "float32"), batch_size=1, verbose=0)
    after = ops.convert_to_numpy(model.codes)
    assert np.abs(after.mean(axis=0)).max() < 0.3 and 0.8 < after.std() < 1.2


def test_an_unknown_target_is_refused():
    with pytest.raises(ValueError, match="target must be one of"):
        AdversarialPrior("cauchy")


@pytest.mark.parametrize("target", TARGETS)
def test_the_seed_decides_the_draws_which_go_on(target):
    one, again, other = (AdversarialPrior(target, seed=seed) for seed in (3, 3, 4))
    draws = [ops.convert_to_numpy(prior._sample((9, 5))) for prior in (one, again, other, one)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).all() and (draws[0] != draws[3]).all()
