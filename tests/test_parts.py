"""What every layer, loss and encoder must do, in any precision. A newcomer adds a line to a table."""

import inspect

import keras
import numpy as np
import pytest
from keras import ops

from dim.choices import TARGETS
from dim.encoders import ENCODERS
from dim.layers.adversarial_prior import AdversarialPrior
from dim.layers.coordinates import CoordinatePrediction
from dim.layers.critics import Bilinear, ConcatenateAndConvolve, EncodeAndDot, ResidualProjection
from dim.layers.normalisation import BatchNormalization
from dim.layers.occlusion import Occlusion
from dim.layers.random_view import RandomView
from dim.layers.sigreg import SIGReg
from dim.losses.metric_learning import LOSSES
from dim.losses.objectives import OBJECTIVES

B, L, D, C, H, U = 12, 9, 5, 6, 3, 7
CODE, FEATURES, MAP = (D,), (L, C), (H, H, C)
PRECISIONS = "float32", "mixed_bfloat16", "mixed_float16"

# how it is made, and the shapes of what it takes of each image; images have sides and the channels 3
LAYERS = {
    "encode-and-dot": (lambda: EncodeAndDot(U), CODE, FEATURES),
    "encode-and-dot of 2 negatives, cosine": (lambda: EncodeAndDot(U, 2, temperature=0.2), CODE, FEATURES),
    "concatenate-and-convolve": (lambda: ConcatenateAndConvolve((U, U)), CODE, FEATURES),
    "concatenate-and-convolve of 2": (lambda: ConcatenateAndConvolve((U,), negatives=2), CODE, FEATURES),
    "bilinear": (Bilinear, CODE, FEATURES),
    "projection": (lambda: ResidualProjection(U), FEATURES),
    "normalisation": (BatchNormalization, MAP),
    "coordinates": (lambda: CoordinatePrediction(U, seed=3), CODE, MAP),
    **{f"prior, {name}": (lambda name=name: AdversarialPrior(name, seed=3), CODE) for name in TARGETS},
    "prior, sigreg": (lambda: SIGReg(U, seed=3), CODE),
    "view": (lambda: RandomView(0.5, seed=3), (8, 8, 3)),
    "occlusion": (lambda: Occlusion(0.5, seed=3), (8, 8, 3)),
}
SMALLEST = {"seed": 8, "basic32": 8, "alex64": 15, "resnet18": 8, "resnet18-thin": 8, "mobilenetv2": 32}
NETWORKS = {name: (lambda name=name, S=S: ENCODERS[name](S, D), (S, S, 3)) for name, S in SMALLEST.items()}
PARTS = {**LAYERS, **NETWORKS}
LEARNERS = [name for name in PARTS if name not in ("view", "occlusion")]
DEEP = "alex64", "resnet18", "resnet18-thin", "mobilenetv2"  # and so slow; of layers that others have, too


def slow_if_deep(name, *values):
    return pytest.param(name, *values, marks=pytest.mark.slow if name in DEEP else ())


def made(name, inputs):
    part = PARTS[name][0]()
    if not part.built:
        part.build(*(x.shape for x in inputs))
    return part


def inputs_of(name):
    rng = np.random.default_rng(0)
    return [
        rng.integers(0, 256, (B, *shape), "uint8")
        if shape[-1] == 3
        else rng.normal(size=(B, *shape)).astype("float32")
        for shape in PARTS[name][1:]
    ]


def arrays(outputs):
    return [ops.convert_to_numpy(ops.cast(y, "float32")) for y in keras.tree.flatten(outputs)]


def test_every_encoder_is_tested_here():
    assert SMALLEST.keys() == ENCODERS.keys()


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_outputs_are_finite_and_those_that_decide_are_float32(name, precision):
    keras.config.set_dtype_policy(precision)
    inputs = inputs_of(name)
    outputs = made(name, inputs)(*inputs)
    assert all(np.isfinite(y).all() for y in arrays(outputs))
    dtypes = {keras.backend.standardize_dtype(y.dtype) for y in keras.tree.flatten(outputs)}
    low = precision.removeprefix("mixed_")
    expected = {"normalisation": {low}, "view": {"uint8"}, "occlusion": {"uint8"}}.get(name, {"float32"})
    assert dtypes == expected | ({low} if name in NETWORKS else set())


@pytest.mark.parametrize(
    ("name", "precision"),
    [(name, "float32") for name in LEARNERS] + [slow_if_deep(name, "mixed_bfloat16") for name in LEARNERS],
)
def test_gradient_reaches_every_trainable_weight_and_every_code_or_feature(name, precision, gradient):
    keras.config.set_dtype_policy(precision)
    inputs = inputs_of(name)
    part = made(name, inputs)
    weights, state = (
        [ops.convert_to_numpy(w) for w in variables]
        for variables in (part.trainable_variables, part.non_trainable_variables)
    )
    given = [] if name in NETWORKS else inputs
    pieces = [*given, *weights]
    ends = np.cumsum([piece.size for piece in pieces])[:-1].tolist()
    mode = {"training": True} if "training" in inspect.signature(part.call).parameters else {}

    def scalar(flat):
        parts = ops.split(flat, ends) if ends else [flat]  # an empty list is one of floats to TensorFlow
        values = [ops.reshape(part, piece.shape) for part, piece in zip(parts, pieces, strict=True)]
        x = values[: len(given)] or inputs
        outputs, _ = part.stateless_call(values[len(given) :], state, *x, **mode)
        floats = [ops.cast(y, "float32") for y in keras.tree.flatten(outputs)]
        rng = np.random.default_rng(1)
        noise = (ops.convert_to_tensor(rng.normal(size=tuple(y.shape)), "float32") for y in floats)
        return sum(ops.mean(y * n) for y, n in zip(floats, noise, strict=True))

    found = gradient(scalar, np.concatenate([piece.ravel() for piece in pieces]))
    assert np.isfinite(found).all()
    names = [f"input {i}" for i, _ in enumerate(given)] + [v.path for v in part.trainable_variables]
    for where, piece in zip(names, np.split(found, ends), strict=True):
        if "bias" not in where:  # before a normalisation it has none
            assert piece.any(), where


@pytest.mark.parametrize("name", [slow_if_deep(name) for name in PARTS])
def test_saved_and_loaded_it_gives_the_same_and_goes_on_drawing_the_same(name, tmp_path):
    inputs = inputs_of(name)
    part = made(name, inputs)
    part.set_weights([w + 0.01 for w in part.get_weights()])
    entries = [keras.Input(x.shape[1:], len(x), dtype=str(x.dtype)) for x in inputs]
    model = keras.Model(entries, part(*entries))
    model(inputs)
    model.save(tmp_path / "part.keras")
    twin = keras.saving.load_model(tmp_path / "part.keras")
    for one, other in zip(arrays(model(inputs)), arrays(twin(inputs)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("name", [*OBJECTIVES, *LOSSES])
def test_losses_are_finite_scalars_in_float32_whatever_they_are_given(name, dtype):
    rng = np.random.default_rng(0)
    if name in OBJECTIVES:
        losses = OBJECTIVES[name](*(ops.cast(rng.normal(size=s), dtype) for s in ((B, L), (B, 4, L))))
    else:
        losses = [LOSSES[name](ops.cast(rng.normal(size=(B, D)), dtype), np.arange(B) % 3, 0.5)]
    for loss in losses:
        assert loss.shape == () and keras.backend.standardize_dtype(loss.dtype) == "float32"
        assert np.isfinite(float(ops.convert_to_numpy(loss)))
