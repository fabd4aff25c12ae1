"""The paper's probe: its layers, what it can tell apart, and what it may not look at."""

import keras
import numpy as np
import pytest

from dim.evaluation import mlp_probe as module
from dim.evaluation.mlp_probe import RATES, mlp_probe
from dim.evaluation.probes import ProbeData, linear_probe, prepare


def exclusive_or(seed=0):
    """Two classes that no line divides."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (1500, 2))
    labels = (x[:, 0] * x[:, 1] > 0).astype(int)
    return x[:1200], labels[:1200], x[1200:], labels[1200:]


def test_it_tells_apart_what_no_line_does_and_the_validation_labels_decide_nothing(monkeypatch):
    monkeypatch.setattr(module, "RATES", (1e-2,))
    train, labels, val, val_labels = exclusive_or()
    data = prepare(train, labels, val, val_labels)
    result = mlp_probe(data)
    assert linear_probe(data).accuracy < 0.65 and result.accuracy > 0.8
    assert 1 <= result.setting["epochs"] <= module.EPOCHS
    inverted = mlp_probe(prepare(train, labels, val, 1 - val_labels))
    assert inverted.setting == result.setting
    assert inverted.accuracy == pytest.approx(1 - result.accuracy)


def test_the_setting_is_the_best_of_the_slice(monkeypatch):
    tried = []

    def train(model, initial, x, y, rate, epochs, seed, validation=None):
        tried.append((len(x), rate, epochs))
        return {"val_accuracy": [0.1, 0.7, 0.3] if rate == RATES[1] else [0.2, 0.6, 0.6]}

    monkeypatch.setattr(module, "_train", train)
    data = prepare(
        np.random.default_rng(0).normal(size=(100, 3)), np.arange(100) % 3, np.eye(3), np.arange(3)
    )
    assert mlp_probe(data).setting == {"learning_rate": RATES[1], "epochs": 2}
    assert tried[-1] == (100, RATES[1], 2) and {n for n, *_ in tried[:-1]} == {90}


def test_each_training_begins_anew():
    train, labels, *_ = exclusive_or()
    x = train.astype("float32")
    model = module._probe((2,), 2, 0)
    initial = [np.array(keras.ops.convert_to_numpy(variable)) for variable in model.variables]
    first, other, again = (
        module._train(model, initial, x, labels, rate, 2, 0)["loss"] for rate in (1e-2, 1e-3, 1e-2)
    )
    assert again == pytest.approx(first) and other != pytest.approx(first)


def test_it_has_the_layers_of_the_paper():
    model = module._probe((5,), 3, 0)
    names = [type(layer).__name__ for layer in model.layers]
    assert names == ["Dense", "Dropout", "BatchNormalization", "ReLU", "Dense"]
    assert model.layers[0].units == 200 and model.layers[1].rate == 0.1
    assert model.count_params() == (5 * 200 + 200) + 4 * 200 + (200 * 3 + 3)


def test_it_is_refitted_to_all_images(monkeypatch):
    """A class that only the slice has is known to none but who has seen the slice."""
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    x = (labels[:, None] + rng.normal(0, 0.1, (200, 2))).astype("float32")
    x[180:], labels[180:] = x[180:] + 9, 2
    monkeypatch.setattr(module, "RATES", (3e-2,))
    data = ProbeData(x, labels, 20, np.full((10, 2), 9.5, "float32"), np.full(10, 2))
    assert mlp_probe(data).accuracy == 1
