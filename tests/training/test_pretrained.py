"""The encoder that comes with the package: whole, the one that its card describes, and good."""

import hashlib
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

import dim
from dim.encoders import in_float16, in_float32, in_plain_keras, seed_encoder
from dim.encoders.embedding import embed
from dim.training import pretrained

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), "uint8")
CARD = Path(dim.__file__).parents[1] / "docs/pretrained.md"


def test_the_file_is_the_one_that_was_published_and_small():
    digest = hashlib.sha256(pretrained.FILE.read_bytes()).hexdigest()
    assert digest == pretrained.SHA256 and digest in CARD.read_text("utf8")
    assert pretrained.FILE.stat().st_size <= 4e6


def test_it_embeds_images_as_the_file_does_in_plain_keras():
    code = embed(dim.pretrained(), IMAGES)
    assert code.shape == (5, 256) and code.dtype == "float32"
    plain = in_float32(keras.saving.load_model(pretrained.FILE))
    expected = keras.ops.convert_to_numpy(plain(IMAGES)["mean"])
    np.testing.assert_allclose(code, expected, atol=2e-2 * np.abs(expected).max())


def test_half_precision_changes_codes_by_little():
    encoder = seed_encoder(64, 32, gaussian=False)
    for layer in encoder.layers:  # as after training: statistics that are not 0 and 1
        if "moving" in str([w.path for w in layer.weights]):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([gamma, beta, mean + 0.1, variance * 3e-3])
    whole, half = (embed(in_float32(each), IMAGES) for each in (encoder, in_float16(encoder)))
    assert {str(w.dtype) for w in in_float16(encoder).weights} == {"float16"}
    cosine = np.sum(whole * half, 1) / np.linalg.norm(whole, axis=1) / np.linalg.norm(half, axis=1)
    assert cosine.min() > 0.9999
    assert not np.array_equal(whole, embed(in_plain_keras(encoder), IMAGES[::-1]))


def test_a_file_that_changed_is_refused(tmp_path, monkeypatch, declined):
    copy = Path(shutil.copy(pretrained.FILE, tmp_path))
    copy.write_bytes(copy.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(pretrained, "FILE", copy)
    with declined(f"{copy} is damaged (SHA-256", "install dim again"):
        pretrained.pretrained()


def test_the_configuration_is_that_of_the_run_and_names_no_place():
    stored = json.loads(pretrained.FILE.with_suffix(".json").read_text())
    assert vars(pretrained.configuration()) == stored
    assert "/" not in stored["data"] and stored["method"] == "dim"


@pytest.mark.parametrize("name", ["pretrained.keras", "pretrained.json"])
def test_an_installed_package_has_it(name):
    import tomllib

    project = tomllib.loads((CARD.parents[1] / "pyproject.toml").read_text("utf8"))
    (pattern,) = project["tool"]["setuptools"]["package-data"]["dim"]
    assert (Path(dim.__file__).parent / "training" / name) in set(Path(dim.__file__).parent.glob(pattern))
