"""What tests of every folder share: a place of their own, small data sets, the form of error messages."""

import ctypes
import gc
import os
import resource
import shutil
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # as several workers share the processors
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from PIL import Image

from dim.errors import DimError


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the tests that take longest, too")


def pytest_collection_modifyitems(config, items):
    """Programs first, since they take longest: the workers end together."""
    items.sort(key=lambda item: "/experiments/" not in item.nodeid)
    for item in items if not config.getoption("--slow") else []:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="takes long; ARGS=--slow runs it"))


def pytest_collection_finish():
    """What was imported stays: garbage is looked for among what the tests make, in a tenth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch):
    """Each test starts in an empty folder, and decodes into a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIM_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def declined():
    """`with declined("a.jpg", "remove it"):` wants a DimError of one line with these pieces in it."""

    @contextmanager
    def declined(*pieces):
        with pytest.raises(DimError) as caught:
            yield
        message = str(caught.value)
        assert len(message.splitlines()) == 1
        for piece in pieces:
            assert str(piece) in message

    return declined


@pytest.fixture
def refused(declined):
    """The same; among the tests of the programs it runs a command instead."""
    return declined


@pytest.fixture
def no_more_files():
    """`with no_more_files():` every further file is one too many."""

    @contextmanager
    def no_more_files():
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)

    return no_more_files


@pytest.fixture
def paint():
    """`paint(file, colour)` saves an image of one colour, in the format of the file's name."""

    def paint(file, colour, size=(20, 14), **options) -> Path:
        file = Path(file)
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, colour).save(file, **options)
        return file

    return paint


@pytest.fixture
def photographs(tmp_path):
    """A folder of 100 small images: 50 of stripes and 50 of blotches, labelled by sub-folder."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "photographs"
    for i in range(50):
        stripes = np.zeros((16, 16, 3)) + 255 * (np.arange(16) // rng.integers(1, 4) % 2)[:, None]
        blotches = np.kron(rng.uniform(0, 255, (4, 4, 3)), np.ones((4, 4, 1)))
        for name, pixels in ("stripes", stripes), ("blotches", blotches):
            (folder / name).mkdir(parents=True, exist_ok=True)
            noisy = np.clip(pixels + rng.normal(0, 20, pixels.shape), 0, 255).astype("uint8")
            Image.fromarray(noisy).save(folder / name / f"{name} {i}.png")
    return folder


@pytest.fixture
def make_tiny_folder():
    """`make_tiny_folder(folder, train=10, val=2)` makes three classes in the layout of Tiny-ImageNet.

    The left half of each image has the colour of its class: n01 red, n02 green, n03 blue; the right half is
    grey, 20 times the image's number in its class. The first image of n03 is a greyscale file, all 100.
    The validation images alternate between the classes.
    """

    def make(folder, train: int = 10, val: int = 2) -> Path:
        folder = Path(folder)
        colours = {"n01": (200, 0, 0), "n02": (0, 200, 0), "n03": (0, 0, 200)}
        for wnid, colour in colours.items():
            images = folder / "train" / wnid / "images"
            images.mkdir(parents=True)
            for i in range(train):
                _two_halves(colour, 20 * i % 256, images / f"{wnid}_{i}.JPEG")
            (images.parent / f"{wnid}_boxes.txt").write_text(f"{wnid}_0.JPEG\t0\t0\t63\t63\n")
        Image.new("L", (64, 64), 100).save(folder / "train/n03/images/n03_0.JPEG")
        annotations = []
        (folder / "val/images").mkdir(parents=True)
        for i in range(val * len(colours)):
            wnid = ("n03", "n01", "n02")[i % 3]
            _two_halves(colours[wnid], 20 * (i // 3) % 256, folder / f"val/images/val_{i}.JPEG")
            annotations.append(f"val_{i}.JPEG\t{wnid}\t0\t0\t63\t63\n")
        (folder / "val/val_annotations.txt").write_text("".join(annotations))
        (folder / "wnids.txt").write_text("n02\nn01\nn03\n")
        (folder / "words.txt").write_text(
            "n00\tentity\nn01\tkingfisher, halcyon\nn02\ttree frog, tree-frog\nn03\tlapis lazuli\n"
        )
        return folder

    return make


def _two_halves(colour: tuple[int, int, int], grey: int, file: Path):
    pixels = np.full((64, 64, 3), grey, "uint8")
    pixels[:, :32] = colour
    Image.fromarray(pixels).save(file, quality=95, subsampling=0)  # so that no colour runs over


@pytest.fixture
def tiny_folder(make_tiny_folder, tmp_path) -> Path:
    return make_tiny_folder(tmp_path / "tiny")


@pytest.fixture
def tiny_zip(make_tiny_folder, tmp_path) -> Path:
    """The same images as in `tiny_folder`, under a folder inside a zip."""
    make_tiny_folder(tmp_path / "to zip/tiny")
    return Path(shutil.make_archive(str(tmp_path / "tiny"), "zip", tmp_path / "to zip"))


@pytest.fixture(scope="session")
def real_tiny_imagenet() -> Path:
    """A zip of real Tiny-ImageNet classes, which the project may not carry along."""
    where = os.environ.get("DIM_TEST_TINY_IMAGENET")
    if not where:
        pytest.skip("DIM_TEST_TINY_IMAGENET is not set to a zip of Tiny-ImageNet or of some of its classes")
    if not Path(where).is_file():
        pytest.skip(f"DIM_TEST_TINY_IMAGENET is set to {where}, where there is no file")
    return Path(where).resolve()


@pytest.fixture(autouse=True)
def memory_given_back():
    """Lets go of the models of past tests, as often as the process has grown by 200 MB.

    TensorFlow enters the gradient of every `tf.custom_gradient` that it traces into a register for ever, and
    each holds the graph of its whole step: 40 MB for the smallest of models, gigabytes after a hundred tests.
    """
    yield
    if sys.platform != "linux" or _resident() < _limit[0]:
        return
    if "tensorflow" in sys.modules:
        from tensorflow.python.framework.ops import gradient_registry

        for name in [name for name in gradient_registry._registry if name.startswith("CustomGradient-")]:
            del gradient_registry._registry[name]
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()  # of what it compiled
    if "dim.encoders.embedding" in sys.modules:
        sys.modules["dim.encoders.embedding"]._without_map.cache_clear()
    gc.collect()
    with suppress(AttributeError):  # a C library of another make
        ctypes.CDLL(None).malloc_trim(0)
    _limit[0] = _resident() + 200e6


_limit = [0.0]  # bytes from which on memory is given back again


def _resident() -> int:
    """Bytes of memory that the process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(autouse=True)
def float32_afterwards():
    """Puts back the global precision that a test may have changed."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].config.set_dtype_policy("float32")


@pytest.fixture
def eagerly(monkeypatch):
    """Runs few steps of small models as they are written: to trace them takes longer."""
    import keras

    monkeypatch.setattr(keras.Model, "run_eagerly", property(lambda self: True, lambda self, value: None))


@pytest.fixture
def gradient():
    """Gradient of a scalar function of one array, as an array, on any backend."""
    import keras

    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()]


def _tensorflow(function, x):
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x).numpy()


def _jax(function, x):
    import jax

    return np.asarray(jax.grad(function)(x))


def _torch(function, x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    function(x).backward()
    return x.grad.numpy()
