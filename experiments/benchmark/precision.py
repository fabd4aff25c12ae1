"""What half precision saves and loses, by each kind of FAISS index, on the codes of an index in float32.

    .venv/bin/python -m experiments.benchmark.precision --run pretrained --data images

Recall@10 is counted against exact search of the codes as they were before they were rounded.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import get_args

import numpy as np

from dim.errors import DimError
from dim.search.engine import IndexMetric, Precision
from dim.training.run import Run
from experiments import command_line, tables
from experiments.options import OfIndex

_KINDS = "exact", "hnsw", "ivf", "ivfpq"
_ASKED = 100


@dataclass(frozen=True)
class Options(OfIndex):
    """Options of `precision`."""

    metric: IndexMetric = "cosine"
    """Distance between codes."""


def precision(options: Options) -> None:
    """Writes an index of each kind, and prints a table. DimError if the codes are rounded already."""
    from dim.search.index import find

    index = find(Run.chosen(options.run).path, options.data)
    if index.codes.dtype != "float32":
        raise DimError(f"{index.folder} holds codes in {index.codes.dtype}; make it anew in float32")
    rows = [
        (
            kind,
            *(
                cell
                for each in get_args(Precision)
                for cell in _measured(kind, index.codes, options.metric, each)
            ),
        )
        for kind in _KINDS
    ]
    named = [
        f"{each}: {what}"
        for each in get_args(Precision)
        for what in ("codes + index", "recall@10", "one query")
    ]
    print(f"{len(index):,} codes of {index.codes.shape[1]}, by {options.metric}\n")
    print(tables.markdown(("kind", *named), rows, words=("kind",)))


def _measured(kind: str, codes: np.ndarray, metric: IndexMetric, precision: str) -> tuple[str, str, str]:
    from dim.search.engine import engine_of
    from dim.search.nearest import recall

    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("codes.npy", "index.faiss")]
        np.save(files[0], codes.astype(precision))
        kept = np.load(files[0], mmap_mode="r")
        engine_of(kind).write(Path(folder), kept, metric)
        engine = engine_of(kind)(Path(folder), kept, metric)
        found, begun = recall(engine, truth=codes), perf_counter()
        asked = codes[:: max(1, len(codes) // _ASKED)]
        for query in asked:
            engine.search(query[None], min(10, len(codes)))
        seconds = (perf_counter() - begun) / len(asked)
        sizes = " + ".join(f"{file.stat().st_size / 1e6:.1f}" for file in files)
    return f"{sizes} MB", f"{found:.4f}", f"{1000 * seconds:.1f} ms"


if __name__ == "__main__":
    command_line.run(precision, Options, __doc__)
