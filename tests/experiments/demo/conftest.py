"""An index of images with names that no page expects, and the page of it in a process of its own."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

REPOSITORY = Path(__file__).parents[3]
HOSTILE = [
    "<script>alert(1)<",
    "quotes ' \" & <img src=x onerror=alert(1)>",
    "two\nlines",
    "long " * 39,
    "写真 花",
    "שלום עולם",
    "$x$ {{value}} ${alert(1)} `",
    "turned \u202egpj",
]


def make_photographs(folder: Path, each: int = 20) -> Path:
    """Two classes, of stripes and of blotches, one with a folder inside; hostile names, and one duplicate."""
    rng = np.random.default_rng(0)
    for i in range(each):
        stripes = np.zeros((16, 16, 3)) + 255 * (np.arange(16) // rng.integers(1, 4) % 2)[:, None]
        blotches = np.kron(rng.uniform(0, 255, (4, 4, 3)), np.ones((4, 4, 1)))
        for kind, pixels in ("stripes", stripes), ("blotches", blotches):
            name = HOSTILE[i] if i < len(HOSTILE) else f"{kind} {i}"
            file = folder / kind / ("inner" if kind == "blotches" and i % 2 else ".") / f"{name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            noisy = np.clip(pixels + rng.normal(0, 20, pixels.shape), 0, 255).astype("uint8")
            with file.open("wb") as opened:
                Image.fromarray(noisy).save(opened, "PNG")
    shutil.copy(folder / "stripes/stripes 15.png", folder / "stripes/zz copy.png")
    return folder


@pytest.fixture
def index(tmp_path):
    """Of such images, whose codes are a few of their pixels."""
    from dim import data
    from dim.search.embedder import Embedder
    from dim.search.indexer import build_index

    folder = make_photographs(tmp_path / "photographs")

    def embed(images):
        return np.ascontiguousarray(images[:, 2::4, 2::4].reshape(len(images), -1), "float32")

    embedder = Embedder(embed, "pixels", 16, 48)
    source = data.listed(str(folder), 16)
    return build_index(tmp_path / "run/index/photographs", str(folder), source, embedder, "exact", "cosine")


@pytest.fixture(scope="session")
def served(initial_checkpoint, tmp_path_factory):
    """`with served(*arguments, **environment) as page:` page.url, page.folder, page.index, page.process."""
    if not find_spec("gradio"):
        pytest.skip("gradio is not installed here; make test-browser installs and tests it")
    return lambda *arguments, **environment: _Served(
        initial_checkpoint, tmp_path_factory.mktemp("served"), arguments, environment
    )


class _Served:
    def __init__(self, checkpoint, place: Path, arguments, environment):
        from dim.training.run import Run

        configuration, file = checkpoint
        self.folder = make_photographs(place / "photographs")
        run = Run(f"{place}/runs/first")
        run.claim(replace(configuration, data=str(self.folder)))
        shutil.copy(file, run.checkpoint)
        self.index = run.path / "index/photographs"
        self._command = [sys.executable, "-m", "experiments.demo", "--run", str(run.path), "--port", "0"]
        self._command += arguments
        self._environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **environment}
        self._environment["TMPDIR"] = str(place / "temporary")
        (place / "temporary").mkdir()
        self._place = place

    def __enter__(self):
        with (self._place / "errors").open("w") as errors:
            self.process = subprocess.Popen(
                self._command,
                cwd=self._place,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        line = self.process.stdout.readline()
        assert line.startswith("http://127.0.0.1:"), (self._place / "errors").read_text()
        url = line.split()[0]
        left = self._place / "temporary"
        return SimpleNamespace(
            url=url, folder=self.folder, index=self.index, process=self.process, temporary=left
        )

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()
