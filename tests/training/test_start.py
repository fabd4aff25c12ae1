"""Training that starts from the encoder of another run."""

from dataclasses import replace

import numpy as np
import pytest

from dim.configuration import Configuration
from dim.encoders.embedding import embed
from dim.methods.build import build_model
from dim.training.fit import train
from dim.training.run import Run
from dim.training.start import start_from

pytestmark = pytest.mark.usefixtures("eagerly")

SMALL = {"image_size": 16, "code_size": 5, "critic_units": 6, "batch_size": 16, "views": 1, "alpha": 0.0}
SMALL = Configuration(**SMALL, epochs=1, precision="float32")
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), "uint8")


def saved(name, **changes) -> Run:
    run, configuration = Run(name), replace(SMALL, **changes)
    run.claim(configuration)
    run.save(build_model(configuration))
    return run


def test_the_encoder_is_that_of_the_run_and_the_rest_new():
    run = saved("old", seed=1)
    old, model = run.load(), build_model(SMALL)
    critic = model.local_critic.get_weights()
    assert np.abs(embed(model.encoder, IMAGES) - embed(old.encoder, IMAGES)).max() > 0.01
    start_from(run, model.encoder)
    np.testing.assert_allclose(embed(model.encoder, IMAGES), embed(old.encoder, IMAGES), atol=1e-6)
    for one, other in zip(critic, model.local_critic.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_a_posterior_there_the_log_variance_starts_as_ever():
    run, model = saved("old", seed=1, prior="none"), build_model(SMALL)
    start_from(run, model.encoder)
    np.testing.assert_allclose(embed(model.encoder, IMAGES), embed(run.load_encoder(), IMAGES), atol=1e-6)
    assert not np.any(model.encoder.get_layer("log_variance").get_weights()[0])


def test_another_encoder_is_refused_with_what_would_fit(declined):
    with declined("--init old is another encoder", "--encoder seed --image-size 16 --code-size 6"):
        start_from(saved("old", code_size=6), build_model(SMALL).encoder)


def test_training_starts_from_it_once_and_goes_on_from_its_own(declined):
    old = saved("old", seed=1)
    start = replace(SMALL, init="old", learning_rate=0.0)
    run = train(start, IMAGES, "new")
    kernels = [[w for w in r.load().encoder.get_weights() if w.ndim == 4] for r in (old, run)]
    for one, other in zip(*kernels, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    old.checkpoint.unlink()
    train(replace(start, epochs=2), IMAGES, "new")
    with declined("runs/old has no checkpoint yet"):
        train(start, IMAGES, "third")
    assert not Run("third").has_learned
