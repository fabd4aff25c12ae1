"""Embeds a data set here, then by three nodes of Ray on this machine, one of which is killed half-way.

    .venv/bin/python -m experiments.benchmark.cluster --data FOLDER --run pretrained

Says how many images a second each takes, and whether the codes are the same to the bit. Needs
requirements-cluster.txt.
"""

import os
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from filecmp import cmp
from pathlib import Path

from dim import data
from dim.errors import DimError
from dim.search import cluster
from dim.search.embedder import Embedder
from dim.search.spread import on_ray
from experiments import command_line
from experiments.options import OfRun

_NODES = 3


@dataclass(frozen=True)
class Options(OfRun):
    """Options of `cluster`."""

    data: str = ""
    """As in index."""


def cluster_of_three(options: Options) -> None:
    """Embeds twice and compares. DimError if the codes differ."""
    cluster.check("")
    run, configuration = options.opened()
    size = configuration.image_size
    source = data.listed(options.data or configuration.data, size)
    command_line.import_keras()
    from dim.encoders import MEAN
    from dim.export.onnx_codes import to_codes
    from dim.export.shipped import Shipped

    encoder = run.load_encoder()
    D = encoder.output[MEAN].shape[1]
    recipe = source.recipe()
    with tempfile.TemporaryDirectory() as folder:
        here, there = Path(folder, "here"), Path(folder, "there")
        skipped = _written(here, recipe, Embedder(to_codes(encoder, size), "", size, D), "here")
        with _nodes() as (address, end_one):
            coded = _ending_one(on_ray(address), len(recipe.sources) // 2, end_one)
            embedder = Embedder(Shipped(encoder, size), "", size, D, coded)
            also = _written(there, recipe, embedder, f"{_NODES} nodes, one of them killed")
        if skipped != also or not cmp(here / "codes.npy", there / "codes.npy", shallow=False):
            raise DimError("the codes differ; see whether nodes have the same libraries")
        print(f"every image once, and the same codes to the bit ({len(skipped):,} could not be read)")


def _written(folder: Path, recipe, embedder: Embedder, what: str) -> dict[int, str]:
    from dim.search.indexer import write_codes

    begun, first = time.perf_counter(), []

    def timed(*arguments):
        for batch in embedder.coded(*arguments):
            first.append(time.perf_counter())
            yield batch

    skipped = write_codes(folder, recipe, embedder._replace(coded=timed), {})
    seconds, N = time.perf_counter() - begun, len(recipe.sources)
    start = f"{first[0] - begun:.0f} s until the first batch"
    print(f"{what}: {N:,} images in {seconds:.0f} s, {N / seconds:.0f} a second; {start}", flush=True)
    return skipped


@contextmanager
def _nodes():
    """The address of a cluster of nodes with one processor each, and what ends one of them."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        nodes = [made.add_node(num_cpus=1) for _ in range(_NODES - 1)]
        yield made.address, lambda: made.remove_node(nodes[0], allow_graceful=False)
    finally:
        made.shutdown()


def _ending_one(coded, place: int, end):
    """The same, `end` being called once the batch with the image of this number has come."""

    def until(*arguments):
        ended = False
        for start, codes in coded(*arguments):
            yield start, codes
            if not ended and start >= place:
                ended = True
                end()
                print(f"a node was killed after {start + len(codes):,} images", flush=True)

    return until


if __name__ == "__main__":
    command_line.run(cluster_of_three, Options, __doc__)
