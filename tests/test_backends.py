"""The same weights and images give the same loss on TensorFlow, JAX and torch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from dim.configuration import Configuration
from dim.methods.build import build_model

REPOSITORY = Path(__file__).parents[1]
PYTHONS = (sys.executable, REPOSITORY / ".venv/bin/python", REPOSITORY / ".venv-backends/bin/python")
B, S = 6, 32
SMALL = {"image_size": S, "code_size": 7, "critic_units": 9, "batch_size": B, "precision": "float32"}
# Without sampling and views: every backend draws other random numbers.
CASES = {
    "infonce": {"critic": "encode-and-dot", "objective": "infonce"},
    "infonce of cosines": {"critic": "encode-and-dot", "temperature": 0.2, "negatives": 3},
    "jsd": {"critic": "concatenate-and-convolve", "negatives": 2, "objective": "jsd"},
    "dv": {"critic": "bilinear", "objective": "dv", "encoder": "basic32"},
    "nwj, clipped": {"critic": "bilinear", "objective": "nwj", "clip": 5.0, "encoder": "resnet18"},
}
PROGRAM = """
import json, sys
import keras, numpy as np
import dim.methods.build
from keras import ops

folder, *names = sys.argv[1:]
images = np.load(f"{folder}/images.npy")
losses = {}
for name in names:
    model = keras.saving.load_model(f"{folder}/{name}.keras")
    for training in False, True:
        loss = model.compute_loss(x=images, y_pred=model(images, training=training), training=training)
        losses[f"{name}, training {training}"] = float(ops.convert_to_numpy(loss))
print(json.dumps(losses))
"""


def interpreters():
    """Backend → an interpreter that has it."""
    found = {}
    for backend, package in ("tensorflow", "tensorflow"), ("jax", "jax"), ("torch", "torch"):
        for python in PYTHONS:
            asks = f"import importlib.util as u; raise SystemExit(u.find_spec({package!r}) is None)"
            if Path(python).exists() and subprocess.run([python, "-c", asks]).returncode == 0:
                found.setdefault(backend, str(python))
    return found


def test_losses_agree_between_backends(tmp_path):
    pythons = interpreters()
    if len(pythons) < 2:
        pytest.skip("only one backend is installed; `make test-backends` installs the others")
    np.save(tmp_path / "images.npy", np.random.default_rng(0).integers(0, 256, (B, S, S, 3), "uint8"))
    for name, changes in CASES.items():
        model = build_model(Configuration(views=1, prior="none", **{**SMALL, **changes}))
        model.save(tmp_path / f"{name}.keras")
    losses = {}
    for backend, python in pythons.items():
        environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(
            [python, "-c", PROGRAM, tmp_path, *CASES], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        losses[backend] = json.loads(done.stdout)
    expected = losses.pop(keras.backend.backend())
    assert len(expected) == 2 * len(CASES) and losses
    for backend, found in losses.items():
        for name, loss in expected.items():
            assert found[name] == pytest.approx(loss, rel=1e-4, abs=1e-6), f"{name} on {backend}"
