"""What holds of every encoder: its table, outputs, sizes, modes, precision, split, and saving."""

import os
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

import dim.encoders
from dim.encoders import ENCODERS, in_plain_keras

MAPS = [
    ("seed", 8, (4, 4, 256)),
    ("seed", 21, (5, 5, 256)),
    ("basic32", 8, (2, 2, 128)),
    ("basic32", 21, (5, 5, 128)),
    ("alex64", 15, (3, 3, 384)),
    ("alex64", 21, (4, 4, 384)),
    ("resnet18", 8, (2, 2, 256)),
    ("resnet18", 21, (6, 6, 256)),
    ("resnet18", 41, (6, 6, 256)),
    ("resnet18-thin", 8, (2, 2, 96)),
    ("resnet18-thin", 41, (6, 6, 96)),
    ("mobilenetv2", 32, (4, 4, 192)),
    ("mobilenetv2", 45, (6, 6, 192)),
]

OF_ANY_SIZE = "seed", "resnet18", "resnet18-thin"
OTHERS = "basic32", "alex64", "resnet18", "resnet18-thin"


def test_the_table_in_the_documentation_is_true():
    row = re.compile(r"^    ([\w-]+) .+ (\d+) +(\d+)  (\d+×\d+×\d+) +([\d,]+)$", re.MULTILINE)
    table = {name: values for name, *values in row.findall(dim.encoders.__doc__)}
    assert table.keys() == ENCODERS.keys()
    for name, (size, code_size, shape, parameters) in table.items():
        encoder = ENCODERS[name]()
        side = None if name in OF_ANY_SIZE else int(size)
        assert encoder.input_shape == (None, side, side, 3)
        assert encoder.output["mean"].shape == encoder.output["log_variance"].shape == (None, int(code_size))
        shapes = encoder.compute_output_shape((None, int(size), int(size), 3))
        assert "×".join(map(str, shapes["feature_map"][1:])) == shape
        assert f"{encoder.count_params():,}" == parameters


@pytest.mark.parametrize(("name", "size", "shape"), MAPS)
def test_outputs_have_their_names_shapes_and_types_at_the_smallest_and_at_an_odd_size(
    name, size, shape, images
):
    encoder = ENCODERS[name](size, 5)
    assert encoder.input.dtype == "uint8"
    outputs = {key: ops.convert_to_numpy(value) for key, value in encoder(images(size)).items()}
    shapes = {key: value.shape for key, value in outputs.items()}
    assert shapes == {"feature_map": (3, *shape), "mean": (3, 5), "log_variance": (3, 5)}
    assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in outputs.values())


@pytest.mark.parametrize("name", OF_ANY_SIZE)
def test_made_for_one_size_it_takes_others_with_the_same_weights(name, images):
    encoder = ENCODERS[name](16, 5)
    for size in 12, 16, 40:
        outputs = {key: ops.convert_to_numpy(value) for key, value in encoder(images(size)).items()}
        assert outputs["feature_map"].shape[:3] == (3, size // 4, size // 4)
        assert outputs["mean"].shape == (3, 5) and np.isfinite(outputs["mean"]).all()


def test_every_posterior_starts_with_a_variance_of_1_whatever_the_image(encoder, size, images):
    outputs = encoder(images(size, seed=5))
    assert not ops.convert_to_numpy(outputs["log_variance"]).any()
    assert ops.convert_to_numpy(outputs["mean"]).all()


def test_a_step_of_adam_moves_no_log_variance_by_half_a_nat_however_wide_the_features(encoder, size, images):
    kernel = encoder.get_layer("log_variance").kernel
    kernel.assign(ops.full_like(kernel, 1e-3))
    moved = encoder(images(size, seed=5), training=True)["log_variance"]
    kernel.assign(ops.zeros_like(kernel))
    assert 0 < abs(ops.convert_to_numpy(moved)).max() < 0.5


@pytest.mark.parametrize("name", ENCODERS)
def test_an_image_smaller_than_the_smallest_is_refused_in_one_line(name, smallest, refused):
    with refused(name, f"at least {smallest[name]} pixels, not {smallest[name] - 1}"):
        ENCODERS[name](smallest[name] - 1, 5)


@pytest.mark.parametrize("name", ENCODERS)
def test_a_deterministic_code_is_the_same_network_less_one_dense_layer(name, smallest):
    gaussian, deterministic = (ENCODERS[name](smallest[name], 5, kind) for kind in (True, False))
    assert deterministic.output.keys() == {"feature_map", "mean"}
    F = gaussian.get_layer("features").output.shape[-1]
    assert gaussian.count_params() - deterministic.count_params() == (F + 1) * 5


def test_uint8_is_scaled_to_minus_one_to_one_by_the_first_layer(encoder, size):
    first = keras.Model(encoder.input, encoder.layers[1].output)
    pixels = np.linspace(0, 255, size * size * 3).astype("uint8").reshape(1, size, size, 3)
    np.testing.assert_allclose(ops.convert_to_numpy(first(pixels)), pixels / 127.5 - 1, atol=1e-6)
    assert pixels.min() == 0 and pixels.max() == 255


def test_batch_statistics_move_in_training_only(encoder, size, images):
    others = images(size, seed=1)
    before = [ops.convert_to_numpy(w) for w in encoder.non_trainable_weights]
    assert before
    encoder(others, training=False)
    for old, new in zip(before, encoder.non_trainable_weights, strict=True):
        np.testing.assert_array_equal(old, ops.convert_to_numpy(new))
    encoder(others, training=True)
    for old, new in zip(before, encoder.non_trainable_weights, strict=True):
        assert not np.array_equal(old, ops.convert_to_numpy(new))


def test_the_map_is_the_split_below_it_learns_from_it_and_nothing_above_does(
    encoder, size, images, weight_gradients
):
    bodies = [layer for layer in encoder.layers if isinstance(layer, keras.Model)]
    if bodies:  # a backbone: its first output is the map
        below = keras.Model(bodies[0].input, bodies[0].output[0])
    else:
        below = keras.Model(encoder.input, encoder.output["feature_map"])
    below = {id(variable) for variable in below.trainable_variables}
    batch = images(size)
    from_map, from_mean = (weight_gradients(encoder, batch, name) for name in ("feature_map", "mean"))
    sides = []
    for variable, of_map, of_mean in zip(encoder.trainable_variables, from_map, from_mean, strict=True):
        if id(variable) not in below:
            assert not np.any(of_map), variable.path
        elif variable.name == "kernel":
            assert np.any(of_map) and np.any(of_mean), variable.path
        sides.append(id(variable) in below)
    assert any(sides) and not all(sides)


def test_above_the_split_all_can_change_and_the_map_stays(encoder, size, images):
    batch = images(size)
    before = {name: ops.convert_to_numpy(y) for name, y in encoder(batch).items()}
    assert before["mean"].std() > 0.01
    weights = encoder.get_weights()
    head = encoder.get_layer("mean")
    head.set_weights([w + 1 for w in head.get_weights()])
    after = {name: ops.convert_to_numpy(y) for name, y in encoder(batch).items()}
    encoder.set_weights(weights)
    np.testing.assert_array_equal(before["feature_map"], after["feature_map"])
    np.testing.assert_array_equal(before["log_variance"], after["log_variance"])
    assert not np.allclose(before["mean"], after["mean"])


@pytest.mark.parametrize("names", [("seed", "mobilenetv2"), pytest.param(OTHERS, marks=pytest.mark.slow)])
def test_exported_encoders_load_in_plain_keras_and_give_the_same(names, settled, smallest, images, tmp_path):
    expected = {}
    for name in names:
        encoder, size = settled(name), smallest[name]
        in_plain_keras(encoder).save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", images(size))
        expected[name] = {key: ops.convert_to_numpy(y) for key, y in encoder(images(size)).items()}
    program = (
        "import sys, keras, numpy as np\n"
        "for name in sys.argv[1:]:\n"
        "    outputs = keras.saving.load_model(name + '.keras')(np.load(name + '.npy'))\n"
        "    np.savez(name, **{k: keras.ops.convert_to_numpy(y) for k, y in outputs.items()})\n"
        "assert 'dim' not in sys.modules"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", program, *names]
    subprocess.run(command, cwd=tmp_path, check=True, env=environment)
    for name, outputs in expected.items():
        found = np.load(tmp_path / f"{name}.npz")
        assert set(found.files) == outputs.keys()
        for key in outputs:
            assert outputs[key].std() > 0.01 or key == "log_variance"
            np.testing.assert_allclose(found[key], outputs[key], atol=2e-4, err_msg=f"{name} {key}")
