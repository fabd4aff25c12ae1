"""The scikit-learn transformer: what it takes, what comes out, where it fits in."""

import pickle

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import dim
from dim.configuration import Configuration
from dim.encoders.embedding import embed
from dim.methods.build import build_model
from dim.training.run import Run

S, D = 16, 6


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    configuration = Configuration(image_size=S, code_size=D, critic_units=4, precision="float32")
    run = Run(tmp_path_factory.mktemp("runs") / "first")
    run.claim(configuration)
    run.save(build_model(configuration))
    return run


@pytest.fixture(scope="module")
def images():
    """Stripes and blotches by turns."""
    rng = np.random.default_rng(0)
    stripes = [
        np.zeros((S, S, 3)) + 255 * (np.arange(S) // rng.integers(1, 4) % 2)[:, None] for _ in range(20)
    ]
    blotches = [np.kron(rng.uniform(0, 255, (4, 4, 3)), np.ones((4, 4, 1))) for _ in range(20)]
    return np.array([image for pair in zip(stripes, blotches, strict=True) for image in pair], "uint8")


def test_codes_are_those_of_the_run(run, images):
    codes = dim.DeepInfoMaxFeatures(run.path).transform(images)
    np.testing.assert_allclose(codes, embed(run.load().encoder, images), atol=1e-5)
    assert codes.shape == (40, D) and codes.dtype == np.float32


def test_paths_pillow_images_grey_and_other_sizes_are_taken(run, images, tmp_path):
    features = dim.DeepInfoMaxFeatures(str(run.path))
    expected = features.transform(images[:2])
    files = [tmp_path / f"{i} ü.png" for i in range(2)]
    for file, image in zip(files, images, strict=False):
        Image.fromarray(image).save(file)
    larger = [np.kron(image, np.ones((4, 4, 1), "uint8")) for image in images[:2]]
    for form in files, list(map(str, files)), [Image.open(file) for file in files], list(images[:2]):
        np.testing.assert_allclose(features.transform(form), expected, atol=1e-5)
    assert features.transform(larger).shape == features.transform(np.array(larger)).shape == (2, D)
    mixed = [images[0], images[1, :, :, 0], np.zeros((30, 50), "uint8"), files[0]]
    codes = features.transform(mixed)
    assert codes.shape == (4, D)
    np.testing.assert_allclose(codes[[0, 3]], expected[[0, 0]], atol=1e-5)


def test_it_is_a_step_of_a_pipeline(run, images):
    labels = np.arange(40) % 2
    pipeline = make_pipeline(dim.DeepInfoMaxFeatures(run.path), StandardScaler(), LogisticRegression())
    assert cross_val_score(pipeline, images, labels, cv=3).mean() > 0.8
    fitted = clone(pipeline).fit(images, labels)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(images), fitted.predict(images))
    names = fitted[0].get_feature_names_out()
    assert names.tolist() == [f"deepinfomaxfeatures{d}" for d in range(D)]
    assert len(pickle.dumps(fitted)) < 10_000  # no encoder within


def test_a_run_that_was_trained_further_gives_its_new_codes(run, images, tmp_path):
    mine = Run(tmp_path / "mine")
    mine.claim(run.configuration())
    model = run.load()
    mine.save(model)
    features = dim.DeepInfoMaxFeatures(mine.path)
    before = features.transform(images)
    model.set_weights([weight * 1.5 for weight in model.get_weights()])
    mine.save(model)
    assert not np.allclose(features.transform(images), before)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (["nowhere.png"], dim.DimError, "no image at nowhere.png"),
        ("one.png", ValueError, "must be several"),
        (np.zeros((2, S, S, 3)), ValueError, "uint8"),
        (np.zeros((2, S, S, 4), "uint8"), ValueError, r"\[H, W, 3\]"),
        (np.zeros((5, 3), "uint8"), ValueError, r"\[H, W, 3\]"),
    ],
)
def test_what_is_no_image_is_refused(run, bad, error, message):
    with pytest.raises(error, match=message):
        dim.DeepInfoMaxFeatures(run.path).transform(bad)


def test_a_run_that_is_not_there_is_refused_when_fitting(refused):
    with refused("runs/nothing is not a run"):
        dim.DeepInfoMaxFeatures("nothing").fit()
