"""Rows of exact search, and the tasks behind them."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from experiments.benchmark.bench import Bench
from experiments.benchmark.compare import alternate
from experiments.benchmark.table import Row

_MODULE = "experiments.benchmark.search"
D, K = 256, 20
_RIVALS = {
    "faiss": "FAISS flat, filled and searched",
    "sklearn": "scikit-learn, brute force",
    "loop": "NumPy, query by query",
}


def search_rows(bench: Bench) -> Iterator:
    """Exact neighbours by L2. Ours also measures the distances anew and checks its input."""
    yield "search", partial(_search, bench)


def _search(bench) -> list[Row]:
    child = bench.child(_MODULE)
    Q, N = (200, 10_000) if bench.quick else (1000, 100_000)
    sizes = {"queries": Q, "bank": N}
    runs, _ = child.prepare("ours", **sizes)
    memory = child.facts("peak memory", **sizes)["megabytes"]
    rate = child.facts("matrix rate")["rate"]
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
        note = (
            f"{Q / median(rates['ours']):.3g} s against {Q / median(rates['rival']):.3g} s{asked}"
            f"; ours takes {memory:.0f} MB"
        )
        rows.append(Row.of_rates(what, "queries/s", rates, name, limit=rate / (2 * N * D), note=note))
    return rows


def ours(queries: int, bank: int):
    from dim.search.nearest import nearest

    few, many = _codes(queries, 1), _codes(bank, 0)
    return {"search": times(lambda: nearest(few, many, K))}, {}


def peak_memory(queries: int, bank: int):
    """What a search takes beyond its input and output, where the system says so."""
    from dim.search.nearest import nearest

    few, many = _codes(queries, 1), _codes(bank, 0)
    nearest(few, many, K)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _status("VmRSS")
    nearest(few, many, K)
    return {}, {"megabytes": max(0.0, peak() - before)}


def peak() -> float:
    """Megabytes that the process has held at most."""
    return _status("VmHWM")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1000 for line in lines if line.startswith(name))


def matrix_rate():
    """Of the processor, by NumPy."""
    size = 2048
    a, b = _codes(size, 1, size), _codes(size, 2, size)
    a @ b
    seconds = []
    for _ in range(3):
        started = perf_counter()
        a @ b
        seconds.append(perf_counter() - started)
    return {}, {"rate": 2 * size**3 / min(seconds)}


def faiss(queries: int, bank: int):
    import faiss

    few, many = _codes(queries, 1), _codes(bank, 0)

    def search():
        index = faiss.IndexFlatL2(D)
        index.add(many)
        index.search(few, K)

    return {"search": times(search)}, {"queries": queries}


def sklearn(queries: int, bank: int):
    from sklearn.neighbors import NearestNeighbors

    few = _codes(queries, 1)
    index = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(_codes(bank, 0))
    return {"search": times(lambda: index.kneighbors(few))}, {"queries": queries}


def loop(queries: int, bank: int):
    """As in the model of Su Jianlin: one query at a time, everything sorted."""
    few, many = _codes(min(queries, 5), 1), _codes(bank, 0)

    def search():
        for query in few:
            ((many - query) ** 2).sum(1).argsort()[:K]

    return {"search": times(search)}, {"queries": len(few)}


def _codes(count: int, seed: int, width: int = D):
    import numpy as np

    return np.random.default_rng(seed).standard_normal((count, width), "float32")


def times(function):
    """A run of a task: the function, so many times."""

    def block(times):
        for _ in range(times):
            function()

    return block


TASKS = {
    "ours": ours,
    "peak memory": peak_memory,
    "matrix rate": matrix_rate,
    "faiss": faiss,
    "sklearn": sklearn,
    "loop": loop,
}
