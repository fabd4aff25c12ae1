"""Rows of the indexes on disk: how long they take to build and to search, and what they miss."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from experiments.benchmark.bench import Bench
from experiments.benchmark.compare import alternate
from experiments.benchmark.search import peak, times
from experiments.benchmark.table import Row

_MODULE = "experiments.benchmark.index"
Q, K, CLUSTERS = 1000, 10, 1000
_SIZES = {"exact": (100_000, 256), "hnsw": (1_000_000, 128), "ivf": (1_000_000, 128)}
_QUICK = 10_000, 64
_BLOCK = 50_000


def index_rows(bench: Bench) -> Iterator:
    """An exact index beside FAISS alone, approximate ones beside an exact search of the same codes."""
    for kind in _SIZES:
        yield f"index: {kind}", partial(_index, bench, kind)


def _index(bench, kind) -> list[Row]:
    N, D = _QUICK if bench.quick else _SIZES[kind]
    with tempfile.TemporaryDirectory() as folder:
        runs, facts = bench.child(_MODULE).prepare("index", kind=kind, bank=N, width=D, where=folder)
        sides = {"ours": (runs["index"], Q), "rival": (runs["rival"], Q)}
        rates = alternate(sides, bench.rounds, bench.seconds / 4)
        bench.end(_MODULE)  # the next kind's peak of memory starts anew
    note = (
        f"{Q / median(rates['ours']):.3g} s against {Q / median(rates['rival']):.3g} s; "
        f"built in {facts['seconds']:.3g} s, recall@{K} {facts['recall']:.3f}, "
        f"process at most {facts['megabytes']:,.0f} MB, of it codes {N * D * 4e-6:,.0f} MB"
    )
    rival = "FAISS flat in memory" if kind == "exact" else "exact search"
    return [
        Row.of_rates(f"index: {kind}, {Q:,} of {N:,} × {D}, k = {K}", "queries/s", rates, rival, note=note)
    ]


def index(kind: str, bank: int, width: int, where: str):
    """Builds an index of codes on disk and asks for the neighbours of some that moved a little."""
    import faiss
    import numpy as np

    from dim.search.faiss_index import read_index, recall, search_index, write_index
    from dim.search.nearest import nearest

    codes, file = _codes(bank, width, Path(where) / "codes.npy"), Path(where) / "index.faiss"
    noise = np.random.default_rng(1).standard_normal((Q, width), "float32")
    queries = codes[:: len(codes) // Q][:Q] + noise / 20
    started = perf_counter()
    write_index(file, codes, kind, "l2")
    seconds = perf_counter() - started
    opened = read_index(file)
    search_index(opened, codes, queries, K)
    facts = {"seconds": seconds, "megabytes": peak(), "recall": recall(opened, codes, K)}

    def rival():
        return nearest(queries, codes, K)

    if kind == "exact":
        flat = faiss.IndexFlatL2(width)
        flat.add(codes)

        def rival():
            return flat.search(queries, K)

    return {"index": times(lambda: search_index(opened, codes, queries, K)), "rival": times(rival)}, facts


def _codes(count: int, width: int, file: Path):
    """Normal clouds around as many centres, as a memory map."""
    import numpy as np

    rng = np.random.default_rng(0)
    centres = rng.standard_normal((CLUSTERS, width), "float32")
    codes = np.lib.format.open_memmap(file, "w+", "float32", (count, width))
    for start in range(0, count, _BLOCK):
        block = codes[start : start + _BLOCK]
        noise = rng.standard_normal(block.shape, "float32")
        block[:] = centres[rng.integers(0, CLUSTERS, len(block))] + noise
    codes.flush()
    return np.load(file, mmap_mode="r")


TASKS = {"index": index}
