"""Rows of search: exact neighbours in memory, and indexes on disk; and the tasks behind them."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from experiments.benchmark.bench import Bench
from experiments.benchmark.table import Row, alternate

_MODULE = "experiments.benchmark.search"
D, K = 256, 20
_RIVALS = {
    "faiss": "FAISS flat, filled and searched",
    "sklearn": "scikit-learn, brute force",
    "loop": "NumPy, query by query",
}
_ASKED, _NEAREST, _CLUSTERS, _BLOCK = 1000, 10, 1000, 50_000  # of the indexes
_SIZES = {"exact": (100_000, 256), "hnsw": (1_000_000, 128), "ivf": (1_000_000, 128)}
_QUICK = 10_000, 64


def search_rows(bench: Bench) -> Iterator:
    """Exact neighbours by L2. Ours also measures the distances anew and checks its input."""
    yield "search", partial(_search, bench)


def _search(bench) -> list[Row]:
    child = bench.child(_MODULE)
    Q, N = (200, 10_000) if bench.quick else (1000, 100_000)
    sizes = {"queries": Q, "bank": N}
    runs, _ = child.prepare("ours", **sizes)
    memory = child.facts("peak memory", **sizes)["megabytes"]
    product, facts = child.prepare("product")
    (rate,) = map(max, alternate({"": (product["product"], facts["operations"])}, 3, 0).values())
    what = f"search: {Q:,} of {N:,} × {D}, k = {K}"
    rows = []
    for rival, name in _RIVALS.items():
        try:
            others, facts = child.prepare(rival, **sizes)
        except Exception as error:
            rows.append(Row(what=what, rival_name=name, note=str(error)))
            continue
        sides = {"ours": (runs["search"], Q), "rival": (others["search"], facts["queries"])}
        rates = alternate(sides, bench.rounds, bench.seconds / 4)
        asked = f"; {facts['queries']} queries measured" if facts["queries"] != Q else ""
        note = f"{_seconds(Q, rates)}{asked}; ours takes {memory:.0f} MB"
        rows.append(Row.of_rates(what, "queries/s", rates, name, limit=rate / (2 * N * D), note=note))
    return rows


def _seconds(queries: int, rates: dict) -> str:
    return " against ".join(f"{queries / median(rates[side]):.3g} s" for side in ("ours", "rival"))


def index_rows(bench: Bench) -> Iterator:
    """An exact index beside FAISS alone, approximate ones beside an exact search of the same codes."""
    for kind in _SIZES:
        yield f"index: {kind}", partial(_index, bench, kind)


def _index(bench, kind) -> list[Row]:
    N, width = _QUICK if bench.quick else _SIZES[kind]
    bench.end(_MODULE)  # so that the peak of memory starts anew
    with tempfile.TemporaryDirectory() as folder:
        runs, facts = bench.child(_MODULE).prepare("index", kind=kind, bank=N, width=width, where=folder)
        sides = {"ours": (runs["index"], _ASKED), "rival": (runs["rival"], _ASKED)}
        rates = alternate(sides, bench.rounds, bench.seconds / 4)
    note = (
        f"{_seconds(_ASKED, rates)}; "
        f"built in {facts['seconds']:.3g} s, recall@{_NEAREST} {facts['recall']:.3f}, "
        f"process at most {facts['megabytes']:,.0f} MB, of it codes {N * width * 4e-6:,.0f} MB"
    )
    rival = "FAISS flat in memory" if kind == "exact" else "exact search"
    what = f"index: {kind}, {_ASKED:,} of {N:,} × {width}, k = {_NEAREST}"
    return [Row.of_rates(what, "queries/s", rates, rival, note=note)]


def ours(queries: int, bank: int):
    from dim.search.nearest import nearest

    few, many = _codes(queries, 1), _codes(bank, 0)
    return {"search": lambda: nearest(few, many, K)}, {}


def peak_memory(queries: int, bank: int):
    """What a search takes beyond its input and output, where the system says so."""
    from dim.search.nearest import nearest

    few, many = _codes(queries, 1), _codes(bank, 0)
    nearest(few, many, K)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _megabytes("VmRSS")
    nearest(few, many, K)
    return {}, {"megabytes": max(0.0, _megabytes("VmHWM") - before)}


def _megabytes(name: str) -> float:
    """What the process holds (VmRSS), or has held at most (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1000 for line in lines if line.startswith(name))


def product():
    """Of square matrices on the processor, by NumPy."""
    size = 2048
    a, b = _codes(size, 1, size), _codes(size, 2, size)
    return {"product": lambda: a @ b}, {"operations": 2 * size**3}


def faiss(queries: int, bank: int):
    import faiss

    few, many = _codes(queries, 1), _codes(bank, 0)

    def search():
        index = faiss.IndexFlatL2(D)
        index.add(many)
        index.search(few, K)

    return {"search": search}, {"queries": queries}


def sklearn(queries: int, bank: int):
    from sklearn.neighbors import NearestNeighbors

    few = _codes(queries, 1)
    index = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(_codes(bank, 0))
    return {"search": lambda: index.kneighbors(few)}, {"queries": queries}


def loop(queries: int, bank: int):
    """As in the model of Su Jianlin: one query at a time, everything sorted."""
    few, many = _codes(min(queries, 5), 1), _codes(bank, 0)

    def search():
        for query in few:
            ((many - query) ** 2).sum(1).argsort()[:K]

    return {"search": search}, {"queries": len(few)}


def index(kind: str, bank: int, width: int, where: str):
    """Builds an index of codes on disk and asks for the neighbours of some that moved a little."""
    import faiss

    from dim.search.engine import engine_of
    from dim.search.nearest import nearest, recall

    folder, engine = Path(where), engine_of(kind)
    codes = _clouds(bank, width, folder / "codes.npy")
    queries = codes[:: bank // _ASKED][:_ASKED] + _codes(_ASKED, 1, width) / 20
    started = perf_counter()
    engine.write(folder, codes, "l2")
    seconds = perf_counter() - started
    opened = engine(folder, codes, "l2")
    opened.search(queries, _NEAREST)
    facts = {"seconds": seconds, "megabytes": _megabytes("VmHWM"), "recall": recall(opened, _NEAREST)}
    rival = partial(nearest, queries, codes, _NEAREST)
    if kind == "exact":
        flat = faiss.IndexFlatL2(width)
        flat.add(codes)
        rival = partial(flat.search, queries, _NEAREST)
    return {"index": partial(opened.search, queries, _NEAREST), "rival": rival}, facts


def _codes(count: int, seed: int, width: int = D):
    import numpy as np

    return np.random.default_rng(seed).standard_normal((count, width), "float32")


def _clouds(count: int, width: int, file: Path):
    """Normal clouds around as many centres, as a memory map."""
    import numpy as np

    rng = np.random.default_rng(0)
    centres = rng.standard_normal((_CLUSTERS, width), "float32")
    codes = np.lib.format.open_memmap(file, "w+", "float32", (count, width))
    for start in range(0, count, _BLOCK):
        block = codes[start : start + _BLOCK]
        noise = rng.standard_normal(block.shape, "float32")
        block[:] = centres[rng.integers(0, _CLUSTERS, len(block))] + noise
    codes.flush()
    return np.load(file, mmap_mode="r")


TASKS = {
    "ours": ours,
    "peak memory": peak_memory,
    "product": product,
    "faiss": faiss,
    "sklearn": sklearn,
    "loop": loop,
    "index": index,
}
