"""What tests of index folders share: a small data set, and an embedder that needs no network."""

import sys
from pathlib import Path

import numpy as np
import pytest

from dim import data
from dim.search import cluster
from dim.search.embedder import Embedder
from dim.search.indexer import build_index
from tests.search import images

N = 12
RUN = Path("runs/first")


def embed(images):
    """Codes of five numbers: places of the image, and their squares."""
    places = images[:, ::3, ::3].reshape(len(images), -1)[:, :5].astype("float32")
    return places + places**2 / 100


EMBEDDER = Embedder(embed, "one", 8, 5)
OTHER = Embedder(lambda images: embed(images) * 1.1, "other", 8, 5)
BLIND = EMBEDDER._replace(embed=None)


@pytest.fixture
def pets(paint, tmp_path):
    """Twelve images of three shapes in two classes, one broken."""
    rng = np.random.default_rng(0)
    for i in range(N):
        paint(
            tmp_path / f"pets/{['cat', 'dog'][i % 2]}/{i:02} ü.png",
            tuple(rng.integers(0, 256, 3)),
            (9 + i, 30),
        )
    (tmp_path / "pets/cat/zzz.jpg").write_text("no image")
    return tmp_path / "pets"


@pytest.fixture
def make(pets):
    def make(kind="exact", metric="cosine", where=pets, embedder=EMBEDDER):
        source = data.listed(str(where), 8)
        return build_index(RUN / "index" / source.name, str(where), source, embedder, kind, metric)

    return make


@pytest.fixture(scope="module")
def ray_here():
    """Ray on this machine, for the tests of a file."""
    with cluster.connected(""):
        import ray

        for module in images, sys.modules[__name__]:
            ray.cloudpickle.register_pickle_by_value(module)
        yield


@pytest.fixture
def by_this_process(tmp_path):
    """The file of codes that is made without Ray, and who was skipped."""
    skipped = images.write(tmp_path / "here", images.recipe())
    assert list(skipped) == list(images.BAD)
    return (tmp_path / "here/codes.npy").read_bytes(), skipped
