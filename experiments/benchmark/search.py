"""Rows of search: exact neighbours in memory, and indexes on disk; and the tasks behind them."""

import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from experiments.benchmark.bench import Bench
from experiments.benchmark.table import Row, alternate

_MODULE = "experiments.benchmark.search"
D, K = 256, 20
_RIVALS = {
    "faiss": "FAISS flat, filled and searched",
    "sklearn": "scikit-learn, brute force",
    "loop": "NumPy, query by query",
}
_LOOPED, _SIDE = 5, 2048
_ASKED, _NEAREST, _CLUSTERS, _BLOCK = 1000, 10, 1000, 50_000  # of the indexes
SIZES = {"exact": (100_000, 256), "hnsw": (1_000_000, 128), "ivf": (1_000_000, 128)}
_QUICK = 10_000, 64


def search_rows(bench: Bench) -> list[Row]:
    """Exact neighbours by L2. Ours also measures the distances anew and checks its input."""
    Q, N = (200, 10_000) if bench.quick else (1000, 100_000)
    runs, facts = bench.prepare(_MODULE, "search", queries=Q, bank=N)
    (rate,) = map(max, alternate({"": (runs["product"], 2 * _SIDE**3)}, 3, 0).values())
    what = f"search: {Q:,} of {N:,} × {D}, k = {K}"
    rows = []
    for rival, name in _RIVALS.items():
        asked = _LOOPED if rival == "loop" else Q
        sides = {"ours": (runs["ours"], Q), "rival": (runs[rival], asked)}
        rates = alternate(sides, bench.rounds, bench.seconds / 4)
        note = f"; {asked} queries measured" if asked != Q else ""
        note = f"{_seconds(Q, rates)}{note}; ours takes {facts['megabytes']:.0f} MB"
        rows.append(Row.of_rates(what, "queries/s", rates, name, limit=rate / (2 * N * D), note=note))
    return rows


def _seconds(queries: int, rates: dict) -> str:
    return " against ".join(f"{queries / median(rates[side]):.3g} s" for side in ("ours", "rival"))


def index_rows(bench: Bench, kind: str) -> list[Row]:
    """An exact index beside FAISS alone, approximate ones beside an exact search of the same codes."""
    N, width = _QUICK if bench.quick else SIZES[kind]
    bench.end(_MODULE)  # so that the peak of memory starts anew
    with tempfile.TemporaryDirectory() as folder:
        runs, facts = bench.prepare(_MODULE, "index", kind=kind, bank=N, width=width, where=folder)
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


def search(queries: int, bank: int):
    """Ours and the rivals on the same codes; products of square matrices; and how much memory ours takes."""
    import faiss
    from sklearn.neighbors import NearestNeighbors

    from dim.search.nearest import nearest

    few, many = _codes(queries, 1), _codes(bank, 0)
    brute = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(many)
    a, b = _codes(_SIDE, 1, _SIDE), _codes(_SIDE, 2, _SIDE)

    def flat():
        index = faiss.IndexFlatL2(D)
        index.add(many)
        index.search(few, K)

    def loop():  # as in the model of Su Jianlin: one query at a time, everything sorted
        for query in few[:_LOOPED]:
            ((many - query) ** 2).sum(1).argsort()[:K]

    runs = {"faiss": flat, "sklearn": partial(brute.kneighbors, few), "loop": loop, "product": lambda: a @ b}
    runs["ours"] = partial(nearest, few, many, K)
    return runs, {"megabytes": _taken(runs["ours"])}


def _taken(run) -> float:
    """How much memory a run takes beyond its input and output."""
    run()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _megabytes("VmRSS")
    run()
    return max(0.0, _megabytes("VmHWM") - before)


def _megabytes(name: str) -> float:
    """What the process holds (VmRSS), or has held at most (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1000 for line in lines if line.startswith(name))


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


def _codes(count: int, seed: int, width: int = D) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, width), "float32")


def _clouds(count: int, width: int, file: Path) -> np.ndarray:
    """Normal clouds around as many centres, as a memory map."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((_CLUSTERS, width), "float32")
    codes = np.lib.format.open_memmap(file, "w+", "float32", (count, width))
    for start in range(0, count, _BLOCK):
        block = codes[start : start + _BLOCK]
        noise = rng.standard_normal(block.shape, "float32")
        block[:] = centres[rng.integers(0, _CLUSTERS, len(block))] + noise
    codes.flush()
    return np.load(file, mmap_mode="r")
