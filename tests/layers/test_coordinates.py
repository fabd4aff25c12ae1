"""Coordinate prediction against loops, at chance, and learning what can be known."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from dim.layers.coordinates import CoordinatePrediction

B, H, W, C, D, U = 5, 3, 4, 6, 7, 8


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(B, D)).astype("float32"), rng.normal(size=(B, H, W, C)).astype("float32")


def built(units=U):
    layer = CoordinatePrediction(units, seed=1)
    layer.build((B, D), (B, H, W, C))
    return layer


def value(x):
    return float(ops.convert_to_numpy(x))


def dense(layer, x):
    weights = [ops.convert_to_numpy(w) for w in layer.weights]
    return x @ weights[0] + (weights[1] if len(weights) > 1 else 0)


def cross_entropy(logits, true):
    return math.log(sum(math.exp(v) for v in logits)) - logits[true]


def test_the_loss_equals_a_loop_over_locations(monkeypatch):
    layer, (code, feature_map) = built(), inputs()
    order = [5, 2, 0, 11, 1, 3, 4, 10, 9, 7, 8, 6]
    monkeypatch.setattr(keras.random, "shuffle", lambda x, seed: ops.convert_to_tensor(order, "int32"))
    total = 0.0
    for b in range(B):
        for here in range(H * W):
            i, j = divmod(here, W)
            k, m = divmod(order[here], W)
            own = dense(layer.from_code, code[b]) + dense(layer.from_feature, feature_map[b, i, j])
            pair = own + dense(layer.from_other, feature_map[b, k, m])
            for heads, hidden, places in (
                (layer.absolute, np.maximum(own, 0), (i, j)),
                (layer.relative, np.maximum(pair, 0), (i - k + H - 1, j - m + W - 1)),
            ):
                for head, place in zip(heads, places, strict=True):
                    total += cross_entropy(dense(head, hidden), place)
    assert value(layer(code, feature_map)) == pytest.approx(total / (B * H * W), rel=1e-4)


def test_equal_logits_cost_the_logarithm_of_the_number_of_places():
    layer = built()
    for head in (*layer.absolute, *layer.relative):
        head.set_weights([np.zeros_like(w) for w in head.get_weights()])
    chance = math.log(H) + math.log(W) + math.log(2 * H - 1) + math.log(2 * W - 1)
    assert value(layer(*inputs())) == pytest.approx(chance, rel=1e-5)


class Alone(keras.Model):
    """The task alone, on maps that are given as they are."""

    def __init__(self, task):
        super().__init__()
        self.task = task

    def build(self, input_shape):
        self.task.build((None, C), input_shape)

    def call(self, feature_map):
        return feature_map

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return self.task(ops.mean(y_pred, axis=(1, 2)), y_pred)


def test_places_that_are_written_in_the_features_are_learned_and_others_are_not():
    rng = np.random.default_rng(0)
    known = rng.normal(size=(64, H, W, C)).astype("float32")
    known[..., 0], known[..., 1] = 4 * np.arange(H)[:, None] - 4, 4 * np.arange(W) - 6
    unknown = rng.normal(size=(64, H, W, C)).astype("float32")
    losses = []
    for maps in known, unknown:
        keras.utils.set_random_seed(0)
        model = Alone(CoordinatePrediction(32))
        model.build((None, H, W, C))
        model.compile(keras.optimizers.Adam(1e-2))
        losses.append(model.fit(maps, batch_size=16, epochs=15, verbose=0).history["loss"][-1])
    assert losses[0] < 0.5 * losses[1]


@pytest.mark.parametrize("size", [(1, 1), (1, 4)])
def test_maps_of_one_row_or_one_location_are_taken(size):
    layer = CoordinatePrediction(U)
    code, feature_map = inputs()
    assert math.isfinite(value(layer(code, feature_map[:, : size[0], : size[1]])))


def test_every_batch_is_paired_anew_and_the_seed_decides_how(monkeypatch):
    drawn, shuffle = [], keras.random.shuffle
    monkeypatch.setattr(
        keras.random, "shuffle", lambda x, seed: drawn.append(order := shuffle(x, seed=seed)) or order
    )
    for seed in 1, 1, 2:
        layer = CoordinatePrediction(U, seed=seed)
        for _ in range(2):
            layer(*inputs())
    first, second, again, _, other, _ = (ops.convert_to_numpy(order).tolist() for order in drawn)
    assert first == again and first != second and first != other
