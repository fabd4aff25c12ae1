"""A window is a run of a text's own tokens, drawn evenly; a mean is one by weights."""

import keras
import numpy as np
from keras import ops

from dim.layers.tokens import Presence, RandomWindow, WeightedMean


def _rows(*lengths, width=20):
    rows = np.zeros((len(lengths), width), "int32")
    for row, length in zip(rows, lengths, strict=True):
        row[:length] = np.arange(1, length + 1)
    return rows


def test_a_window_is_a_run_of_the_text_and_every_start_comes_equally_often():
    window, starts = RandomWindow(5, seed=2), []
    for _ in range(40):
        found = ops.convert_to_numpy(window(_rows(*[9] * 20)))
        assert found.shape == (20, 5) and found.dtype == "int32"
        assert (np.diff(found, axis=1) == 1).all() and found.min() >= 1 and found.max() <= 9
        starts += found[:, 0].tolist()
    counts = np.bincount(starts)[1:]
    assert len(counts) == 5 and counts.min() > 0.7 * counts.mean()


def test_a_short_text_begins_anew_and_an_empty_one_stays_empty():
    found = ops.convert_to_numpy(RandomWindow(7, seed=1)(_rows(3, 1, 0, 7)))
    expected = [[1, 2, 3, 1, 2, 3, 1], [1] * 7, [0] * 7, [1, 2, 3, 4, 5, 6, 7]]
    np.testing.assert_array_equal(found, expected)


def test_windows_differ_from_text_to_text_and_go_on_after_saving(tmp_path):
    window, tokens = RandomWindow(4, seed=0), _rows(*[20] * 30)
    first = ops.convert_to_numpy(window(tokens))
    assert len(np.unique(first[:, 0])) > 5
    model = keras.Sequential([keras.Input((20,), dtype="int32"), window])
    model.save(tmp_path / "window.keras")
    second = ops.convert_to_numpy(window(tokens))
    loaded = keras.saving.load_model(tmp_path / "window.keras").layers[-1]
    np.testing.assert_array_equal(ops.convert_to_numpy(loaded(tokens)), second)
    assert window.compute_output_shape((None, 20)) == (None, 4)


def test_presence_and_weighted_mean():
    tokens = _rows(2, 0, 3, width=4)
    present = ops.convert_to_numpy(Presence()(tokens))
    np.testing.assert_array_equal(present[..., 0], [[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 0]])
    rng = np.random.default_rng(0)
    x, logs = rng.normal(size=(3, 4, 5)).astype("float32"), rng.normal(size=(3, 4, 1)).astype("float32")
    found = ops.convert_to_numpy(WeightedMean()(x, logs, present))
    for i, count in enumerate((2, 0, 3)):
        w = np.exp(logs[i, :count, 0])
        expected = (w[:, None] * x[i, :count]).sum(0) / w.sum() if count else np.zeros(5)
        np.testing.assert_allclose(found[i], expected, atol=1e-6)
