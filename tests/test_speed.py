"""What decides the speed, counted: the same on every machine, unlike seconds."""

import functools
from collections import Counter
from dataclasses import replace

import keras
import numpy as np
import pytest

from dim.methods.build import build_model
from dim.methods.deep_infomax import DeepInfoMax
from dim.presets import PRESETS
from experiments.benchmark import operations
from experiments.train import Options, train

B = 100
TENSORFLOW = keras.backend.backend() == "tensorflow"
only_tensorflow = pytest.mark.skipif(not TENSORFLOW, reason="counts operations in TensorFlow's graph")


@functools.cache
def step(preset, precision):
    """A model at full size, and TensorFlow's operations of its training step on B images."""
    model = build_model(replace(PRESETS[preset](), precision=precision))
    return model, operations.traced(lambda x: model.train_step((x,)), np.zeros((B, 64, 64, 3), "uint8"))


def kinds(graph):
    return Counter(operation.type for operation in graph)


def normalisations(model):
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]


@pytest.fixture(params=["float32", "mixed_bfloat16"])
def precision(request):
    return request.param


@pytest.fixture(params=[("seed", 1), ("dim", 2)], ids=lambda preset: preset[0])
def preset(request):
    return request.param


@only_tensorflow
def test_every_normalisation_of_feature_maps_is_one_fused_operation(preset, precision):
    views, (model, graph) = preset[1], step(preset[0], precision)
    in_encoder = len(normalisations(model.encoder))
    in_critics = len(normalisations(model)) - in_encoder
    for kind in "FusedBatchNormV3", "FusedBatchNormGradV3":
        on_maps = [
            o
            for o in graph
            if o.type == kind and o.outputs[0].shape[0] == views * B and o.outputs[0].shape[1] > 1
        ]
        assert len(on_maps) == in_encoder == 6  # both views pass the encoder together
        assert kinds(graph)[kind] <= in_encoder + views * in_critics


@only_tensorflow
def test_no_moments_are_taken_of_feature_maps(preset, precision):
    _, graph = step(preset[0], precision)
    for operation in graph:
        if operation.type in ("Mean", "SquaredDifference", "Rsqrt"):
            shape = operation.inputs[0].shape
            assert shape.rank != 4 or shape[-1] == 3, operation.name  # 3: the mean colour of a view


@only_tensorflow
def test_each_convolution_is_made_once_forward_and_twice_backward(preset, precision):
    _, graph = step(preset[0], precision)
    assert kinds(graph)["Conv2D"] <= 6
    assert kinds(graph)["Conv2DBackpropFilter"] <= 6
    assert kinds(graph)["Conv2DBackpropInput"] <= 5  # the image needs no gradient


@only_tensorflow
def test_few_operations_write_a_map_of_full_resolution(preset, precision):
    """Convolution, bias, normalisation; then the gradients of pooling and of normalisation."""
    views, (_, graph) = preset[1], step(preset[0], precision)
    full = [
        o.type for o in graph for t in o.outputs if t.shape.rank == 4 and t.shape == (views * B, 64, 64, 32)
    ]
    assert 0 < len(full) <= 5, full


@only_tensorflow
def test_code_and_features_are_never_concatenated(precision):
    model, graph = step("seed", precision)
    D, C = model.encoder.output["mean"].shape[-1], model.encoder.output["feature_map"].shape[-1]
    joined = [t.shape for o in graph if o.type in ("ConcatV2", "Pack") for t in o.outputs]
    assert all(shape.rank < 1 or shape[-1] != D + C for shape in joined)


@only_tensorflow
def test_a_step_costs_little_more_than_the_encoder(preset, precision):
    """The encoder forward and twice backward is 0.468 GFLOP a view; the rest at most a quarter."""
    (name, views), (model, graph) = preset, step(preset[0], precision)
    images = np.zeros((B, 64, 64, 3), "uint8")
    encoder = operations.of_encoding(model.encoder, images) / B
    assert encoder == pytest.approx(0.158e9, rel=0.01)
    first = 2 * 64 * 64 * 32 * 27  # convolution, whose input needs no gradient
    least = views * (3 * encoder - first)
    assert least <= operations.count(graph) / B <= {"seed": 1.1, "dim": 1.23}[name] * least


@pytest.fixture
def watched(monkeypatch):
    """Counts how often a training step is traced, and at which steps its results are read."""
    traced, made, read = [], [], set()
    train_step, make = DeepInfoMax.train_step, DeepInfoMax.make_train_function

    class Result:
        def __init__(self, value):
            self.value, self.step = value, len(made)

        def __float__(self):
            read.add(self.step)
            return float(keras.ops.convert_to_numpy(self.value))

        def __array__(self, dtype=None, copy=None):
            return np.asarray(float(self), dtype)

    @functools.wraps(train_step)
    def counted(self, *arguments):
        traced.append(1)
        return train_step(self, *arguments)

    def make_watched(self, force=False):
        if self.train_function is not None and not force:
            return
        make(self, force)
        function = self.train_function

        def train_function(*arguments):
            made.append(1)
            results = function(*arguments)
            logs, *state = results if isinstance(results, tuple) else (results,)
            logs = {name: Result(value) for name, value in logs.items()}
            return (logs, *state) if state else logs

        self.train_function = train_function

    monkeypatch.setattr(DeepInfoMax, "train_step", counted)
    monkeypatch.setattr(DeepInfoMax, "make_train_function", make_watched)
    return traced, made, read


def test_training_is_traced_once_and_rarely_waits_for_the_device(make_tiny_folder, tmp_path, watched):
    configuration = replace(
        PRESETS["dim"](),
        data=str(make_tiny_folder(tmp_path / "tiny", train=20)),
        image_size=16,
        code_size=8,
        critic_units=8,
        alpha=0.0,
        batch_size=2,
        epochs=2,
        precision="float32",
    )
    train(Options(configuration=configuration, run="watched"))
    traced, made, read = watched
    assert len(made) == 2 * 30
    assert len(read) <= len(made) / 10  # reading a result waits until it is there
    if keras.backend.backend() != "torch":  # which runs the step itself, every time
        assert len(traced) == 1
