"""Several devices and processes compute what one does."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import dim
from dim.configuration import Configuration
from dim.files import read_table
from dim.presets import PRESETS
from dim.training.devices import Devices
from dim.training.hosts import Hosts

REPOSITORY = Path(__file__).parents[2]
on_jax = pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX alone uses several devices")
PROGRAM = """
import json, os, sys
from dataclasses import replace
import numpy as np
from dim.training.hosts import together

steps, names, hosts, host = int(sys.argv[1]), sys.argv[2].split(","), sys.argv[3], int(sys.argv[4])
S, B, N = 16, 16, 64
images = np.random.default_rng(0).integers(0, 256, (N, 4, 4, 3), "uint8").repeat(4, 1).repeat(4, 2)
labels = np.arange(N) % 4
small = {"image_size": S, "batch_size": B, "code_size": 8, "critic_units": 16, "per_class": 4}
with together(hosts, host if hosts else None) as team:
    import keras
    from dim.data.batches import Batches
    from dim.data.class_batches import ClassBatches
    from dim.encoders import in_plain_keras
    from dim.methods.build import build_model
    from dim.presets import PRESETS
    from dim.training.callbacks import Callbacks
    from dim.training.devices import Devices, on_one

    devices, found = Devices(0, team), {}
    for name in names:
        c = replace(PRESETS[name](), precision="float32", **small)
        model = devices.model(lambda: build_model(c, steps_per_epoch=steps, classes=4))
        part = devices.part(B)
        data = Batches(images, B, 0, part=part)
        if c.method == "metric":
            data = ClassBatches(images, labels, *c.classes_and_images(4), 0, 0, part)
        how = {"steps_per_epoch": 1, "epochs": steps, "shuffle": False, "verbose": 0}
        with devices.at_work():
            history = model.fit(data, callbacks=Callbacks([], model, steps, 1), **how)
        with on_one():
            # By the statistics of the batch: moving ones lag behind, and show random biases.
            codes = in_plain_keras(model.encoder)(images, training=True)["mean"]
        losses = [float(loss) for loss in history.history["loss"]]
        found[name] = {"losses": losses, "codes": np.asarray(codes).tolist(), "devices": devices.count}
    if team.leads:
        print(json.dumps(found))
"""


WIDE = """
import keras
from keras.src.backend.common import dtypes

keras.config.set_floatx("float64")
dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # Keras makes float32 of it on JAX
"""
RESUMED = """
import sys
from dataclasses import replace
import numpy as np
import dim
from dim.presets import PRESETS

data, *turns = sys.argv[1:]
small = {"image_size": 16, "batch_size": 16, "code_size": 8, "critic_units": 16, "precision": "float32"}
for epochs, count in (map(int, turn.split("x")) for turn in turns):
    c = replace(PRESETS["two-view"](), epochs=epochs, schedule="constant", **small)
    dim.train(c, data, "turns", devices=count)
    dim.train(c, data, "one", devices=1) if epochs == int(turns[-1].split("x")[0]) else None
images = np.random.default_rng(0).integers(0, 256, (64, 16, 16, 3), "uint8")
codes = [dim.Run(name).load_encoder()(images, training=True)["mean"] for name in ("turns", "one")]
np.save("codes.npy", np.stack(codes))
"""


class TwoHosts(Hosts):
    count = 2


def devices(count, hosts=None):
    """Such as there would be on hosts that have so many each."""
    made = object.__new__(Devices)
    made.hosts, made.of_each = hosts or Hosts(), count
    made.count = count * made.hosts.count
    return made


def test_a_batch_that_the_devices_cannot_share_is_declined_with_the_nearest_that_they_can(declined):
    c = Configuration(batch_size=100)
    devices(4).check_batch(c, 0)
    with declined("8 devices cannot share the 100 images of a step", "try --batch-size 104 or --devices 5"):
        devices(8).check_batch(c, 0)
    with declined("--batch-size 96 or --devices 5"):
        devices(6).check_batch(replace(c, batch_size=95), 0)
    with declined("6 devices", "--batch-size 102 or --devices 2"):
        devices(3, TwoHosts()).check_batch(c, 0)
    with declined("2 devices", "--batch-size 4 or"):
        devices(2).check_batch(replace(c, batch_size=3), 0)


def test_of_metric_learning_what_a_batch_holds_counts(declined):
    c = replace(PRESETS["metric-supcon"](), batch_size=100)
    devices(4).check_batch(c, 20)
    with declined("8 devices cannot share the 99 images", "--batch-size"):
        devices(8).check_batch(c, 3)


def test_each_process_feeds_its_rows_of_a_batch():
    second = TwoHosts()
    second.process = 1
    assert np.arange(12)[devices(2, TwoHosts()).part(12)].tolist() == [0, 1, 2, 3, 4, 5]
    assert np.arange(12)[devices(2, second).part(12)].tolist() == [6, 7, 8, 9, 10, 11]
    assert np.arange(12)[devices(2).part(12)].tolist() == list(range(12))


def test_devices_that_are_not_there_are_declined(photographs, declined):
    for wanted in 99, -1:
        with declined(f"--devices {wanted}: there are "):
            dim.train(Configuration(image_size=16, batch_size=20), photographs, "none", devices=wanted)


def test_several_devices_are_said_in_the_first_line():
    one, many = devices(1), devices(4, TwoHosts())
    assert str(one) == "" and str(many) == ", 8 devices of 2 processes"


@pytest.fixture
def wide(tmp_path):
    """A copy of the code in which every float32 is a float64."""
    for file in (REPOSITORY / "dim").rglob("*.py"):
        copy = tmp_path / "wide" / file.relative_to(REPOSITORY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text("utf8").replace('"float32"', '"float64"'), "utf8")
    return tmp_path / "wide"


@pytest.fixture
def computed(tmp_path):
    """`computed(steps, presets, devices, processes)`: what the program finds on so many devices of each."""
    running = []

    def computed(steps, presets, devices=1, processes=1, wide=None):
        # Little optimised it is compiled in half of the time.
        flags = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
        flags += f" --xla_force_host_platform_device_count={devices}"
        environment = {**os.environ, "PYTHONPATH": str(wide or REPOSITORY), "XLA_FLAGS": flags}
        program = PROGRAM
        if wide:
            program, environment["JAX_ENABLE_X64"] = WIDE + PROGRAM.replace("float32", "float64"), "1"
        with socket.create_server(("", 0)) as free:
            address = f"localhost:{free.getsockname()[1]}"
        hosts = ",".join([address, *["localhost:1"] * (processes - 1)]) if processes > 1 else ""
        ours = []
        for process in range(processes):
            command = [sys.executable, "-c", program, str(steps), ",".join(presets), hosts, str(process)]
            out, err = (tmp_path / f"{len(running)}.{stream}" for stream in ("out", "err"))
            with out.open("w") as stdout, err.open("w") as stderr:
                ours.append(
                    (subprocess.Popen(command, env=environment, stdout=stdout, stderr=stderr), out, err)
                )
            running.append(ours[-1][0])
        for process, _, err in ours:
            assert process.wait(timeout=600) == 0, err.read_text()[-2000:]
        return json.loads(ours[0][1].read_text().splitlines()[-1])

    yield computed
    for process in running:
        process.kill()


def alike(found, expected, devices):
    for preset, one in expected.items():
        assert found[preset]["devices"] == devices
        np.testing.assert_allclose(found[preset]["losses"], one["losses"], rtol=1e-5, err_msg=preset)
        if preset == "two-view":  # of others Adam makes more of the last bits, see docs/scale.md
            greatest = np.abs(one["codes"]).max()
            np.testing.assert_allclose(found[preset]["codes"], one["codes"], atol=1e-3 * greatest)


@on_jax
@pytest.mark.parametrize(("devices", "processes"), [(4, 1), (1, 2)])
def test_the_losses_of_two_views_are_those_of_one_device(computed, devices, processes):
    alike(computed(3, ["two-view"], devices, processes), computed(3, ["two-view"]), devices * processes)


@on_jax
@pytest.mark.slow
def test_the_losses_of_every_kind_are_those_of_one_device(computed):
    presets = ["dim", "two-view", "paper-local-nce", "metric-supcon"]
    one = computed(2, presets)
    for devices, processes in (2, 1), (4, 1), (8, 1), (1, 2), (2, 2):
        alike(computed(2, presets, devices, processes), one, devices * processes)


@on_jax
@pytest.mark.slow
def test_without_rounding_losses_and_codes_of_every_kind_stay_those_of_one_device(computed, wide):
    presets = ["dim", "two-view", "paper-local-nce", "metric-supcon"]
    one = computed(20, presets, wide=wide)
    for devices, processes in (4, 1), (1, 2):
        many = computed(20, presets, devices, processes, wide)
        for preset in presets:
            losses, codes = (
                np.array([found[preset][what] for found in (one, many)]) for what in ("losses", "codes")
            )
            np.testing.assert_allclose(*losses, rtol=1e-9, err_msg=preset)
            np.testing.assert_allclose(*codes, atol=1e-7 * np.abs(codes).max(), err_msg=preset)


@on_jax
@pytest.mark.slow
def test_a_run_goes_on_with_more_devices_and_with_fewer_as_with_one_alone(photographs, tmp_path):
    flags = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    flags += " --xla_force_host_platform_device_count=4"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "XLA_FLAGS": flags}
    command = [sys.executable, "-c", RESUMED, str(photographs), "1x1", "2x4", "3x1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert ", 4 devices, " in done.stdout and done.stdout.count("going on after epoch") == 2
    turns, one = (read_table(tmp_path / "runs" / name / "log.csv", "loss") for name in ("turns", "one"))
    losses = [[float(row["loss"]) for row in rows] for rows in (turns, one)]
    assert len(losses[0]) == 3
    np.testing.assert_allclose(*losses, rtol=1e-5)
    codes = np.load(tmp_path / "codes.npy")
    np.testing.assert_allclose(*codes, atol=1e-3 * np.abs(codes).max())
