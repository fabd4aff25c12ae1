"""Embeds a data set with a run's encoder, so that similar images can be searched.

Writes codes.npy, images.parquet and index.faiss into the folder index/DATA of the run. Interrupted, the
same command goes on; images that cannot be read are named and left out.
"""

import shlex
from dataclasses import dataclass
from typing import Literal

from dim import data
from dim.errors import DimError
from dim.files import UNFINISHED, exclusive
from dim.names import printable
from dim.search.embedder import Embedder, coded_here
from dim.search.engine import IndexMetric, Kind, Precision
from dim.search.spread import on_ray
from experiments import command_line
from experiments.options import OfRun

_NAMED = 3


@dataclass(frozen=True)
class Options(OfRun):
    """Options of `index`."""

    data: str = ""
    """Any folder of images, or its address in a store, such as s3://bucket/photos; Tiny-ImageNet as folder
    or zip, or photo-patches; by default what the run was trained on."""
    kind: Kind = "exact"
    """Of the index. exact compares with every image; hnsw and ivf, for millions, are faster and miss
    some, and say how many; ivfpq, for more codes than memory holds, keeps 40 bytes of each in it. milvus is
    not of FAISS: it sends them to the server that DIM_MILVUS names, or to Milvus Lite, and needs pymilvus."""
    metric: IndexMetric = "cosine"
    """Distance that it is for. Others are searched without it, exactly."""
    codes: Precision = "float32"
    """How they are kept. float16 halves codes.npy and the index and keeps three digits of each number; codes
    that are there in float32 are rounded, not made anew."""
    on: Literal["here", "ray"] = "here"
    """What embeds: this process, or Ray, by all processors and GPUs that it has. The index is the same. Ray
    needs requirements-cluster.txt."""
    address: str = ""
    """host:port of the head of a Ray cluster, of which this machine is a node; by default Ray is started for
    this machine alone."""


def index(options: Options) -> None:
    """Makes or completes an index."""
    run, configuration = options.opened()
    if options.address and options.on != "ray":
        raise DimError("--address is that of a Ray cluster; add --on ray")
    coded = on_ray(options.address) if options.on == "ray" else coded_here
    where = options.data or configuration.data
    where = data.lasting(where)
    source = data.listed(where, configuration.image_size)

    command_line.import_keras()
    from dim.encoders import MEAN
    from dim.encoders.embedding import fingerprint
    from dim.export.onnx_codes import to_codes
    from dim.export.shipped import Shipped
    from dim.search.indexer import build_index
    from dim.search.nearest import recall

    encoder = run.load_encoder()
    _, code_size = encoder.output[MEAN].shape
    size = configuration.image_size
    embed = (Shipped if options.on == "ray" else to_codes)(encoder, size)
    embedder = Embedder(embed, fingerprint(encoder), size, code_size, coded, options.codes)
    folder = run.path / "index" / source.name
    folder.parent.mkdir(exist_ok=True)
    lock = folder.with_name(f"{UNFINISHED}{source.name[:50]}.lock")
    try:
        with exclusive(lock, f"the index of {source.name} in {folder.parent} is being made"):
            made = build_index(folder, where, source, embedder, options.kind, options.metric)
    except KeyboardInterrupt:
        print("\ninterrupted; what was embedded is kept; the same command goes on from there")
        raise
    print(printable(f"{len(made):,} images of {source.name}, codes of length {code_size} · {folder}/"))
    if (skipped := folder / "skipped.txt").exists():
        named = skipped.read_text("utf8", "replace").splitlines()
        more = f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else ""
        print(printable(f"not readable, see {skipped}: {'; '.join(named[:_NAMED])}{more}"))
    print(f"{made.engine.file}: {options.kind}, by {options.metric} distance")
    if (options.kind != "exact" or options.codes == "float16") and len(made) > 1:
        queries = min(1000, len(made))
        share = f"{recall(made.engine, queries=queries):.3f}"
        print(f"recall@10 against exact search: {share} (mean over {queries:,} of the images)")
    name = printable(shlex.quote(run.name))
    print(f"\nnext: make search RUN={name} IMAGE=…    make near-duplicates RUN={name}")


if __name__ == "__main__":
    command_line.run(index, Options, __doc__)
