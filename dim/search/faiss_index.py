"""FAISS indexes of codes on disk: exact, or approximate for millions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

import faiss
import numpy as np
from tqdm import tqdm

from dim.data.rows import write_header
from dim.errors import DimError
from dim.search.nearest import by_differences, comparable, nearest, ranked, without_own

Kind = Literal["exact", "hnsw", "ivf"]
IndexMetric = Literal["l2", "cosine"]
_FAISS = {"l2": faiss.METRIC_L2, "cosine": faiss.METRIC_INNER_PRODUCT}
_KINDS = faiss.IndexFlat, faiss.IndexHNSWFlat, faiss.IndexIVFFlat
_BLOCK = 2**22  # floats that are added at once: 16 MB
_LINKS, _EFFORT_OF_BUILDING, _EFFORT = 32, 80, 128
_TRAINING_CODES_PER_CELL, _PROBES = 64, 64


def write_index(file: Path, codes: np.ndarray, kind: Kind, metric: IndexMetric) -> None:
    """Writes an index that FAISS reads. For `cosine` the codes in it have unit length.

    exact   every code is compared. Written and searched from memory maps: nothing is held in memory.
    hnsw    a graph of 32 neighbours a code (Malkov and Yashunin, https://arxiv.org/abs/1603.09320),
            searched with effort 128. Takes 4·D + 272 bytes a code in memory.
    ivf     codes in about 4·√N cells around the centres of k-means, 64 of which are searched. Built
            faster than hnsw; takes 4·D + 8 bytes a code in memory.

    Args:
        file: to be written.
        codes: [N, D] float32, memory-mapped or not.
        kind: as above.
        metric: that it can be searched by.

    Raises:
        DimError: it cannot be written.
        ValueError: kind or metric is none of these, or a code is not finite.
    """
    if kind not in get_args(Kind) or metric not in _FAISS:
        raise ValueError(
            f"kind and metric must be {get_args(Kind)} and {tuple(_FAISS)}, not {kind}, {metric}"
        )
    try:
        if kind == "exact":
            _write_exact(file, codes, metric)
        else:
            faiss.write_index(_approximate(codes, kind, metric), str(file))
    except RuntimeError as error:  # of FAISS, which says so in C++
        raise DimError(f"cannot write {file}: {_one_line(error)}") from error


def read_index(file: Path) -> faiss.Index:
    """An index of `write_index`, memory-mapped.

    Raises:
        DimError: it is not there, damaged, or not of `write_index`.
    """
    if not file.is_file():
        raise DimError(f"{file} is not there; make the index anew")
    try:
        index = faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC)
        if not isinstance(index, _KINDS) or index.metric_type not in _FAISS.values():
            raise RuntimeError(f"{type(index).__name__} of metric {index.metric_type} is none of ours")
    except RuntimeError as error:
        raise DimError(
            f"{file} cannot be read ({_one_line(error)}); remove it and make the index anew"
        ) from error
    return index


def metric_of(index: faiss.Index) -> IndexMetric:
    """What an index can be searched by."""
    return next(name for name, number in _FAISS.items() if number == index.metric_type)


def search_index(
    index: faiss.Index, codes: np.ndarray, queries: np.ndarray, k: int, own: np.ndarray | None = None
):
    """As `dim.search.nearest.nearest`, by an index of the codes; the distances are exact in any case.

    An approximate index may find fewer than k: what is missing has index -1 and distance infinity.

    Raises:
        ValueError: the index finds more codes than there are.
    """
    metric, wanted = metric_of(index), k if own is None else k + 1
    if isinstance(index, faiss.IndexHNSW):
        index.hnsw.efSearch = max(_EFFORT, 2 * wanted)
    with _by_l2(index), by_differences():
        _, candidates = index.search(comparable(queries, metric), wanted)
    alien = candidates[(candidates < -1) | (candidates >= len(codes))]
    if len(alien):
        raise ValueError(f"the index knows a code {alien[0]} of {len(codes)}; make it anew")
    found = ranked(queries, codes, candidates, metric)
    return found if own is None else without_own(found, np.asarray(own))


@contextmanager
def _by_l2(index: faiss.Index) -> Iterator[None]:
    """Has vectors of unit length, which the index was made for, compared by L2 for a while.

    They rank as by inner products, without these being rounded to 1 where codes have nearly collapsed.
    """
    parts = [(index, "metric_type", faiss.METRIC_L2)]
    for name in "storage", "quantizer":  # of hnsw and of ivf, indexes themselves
        if (part := getattr(index, name, None)) is not None:
            parts.append((part, "metric_type", faiss.METRIC_L2))
    if isinstance(index, faiss.IndexHNSW):
        parts.append((index.hnsw, "is_similarity", False))
    before = [getattr(part, name) for part, name, _ in parts]
    try:
        for part, name, value in parts:
            setattr(part, name, value)
        yield
    finally:
        for (part, name, _), value in zip(parts, before, strict=True):
            setattr(part, name, value)


def recall(index: faiss.Index, codes: np.ndarray, k: int = 10, queries: int = 1000) -> float:
    """Share of the k nearest of random codes that the index finds, the code itself left out.

    Counted by distance, so that it does not matter which of several duplicates were found.
    """
    rows = np.random.default_rng(0).permutation(len(codes))[:queries]
    k = min(k, len(codes) - 1)
    if k < 1:
        return 1.0
    asked = codes[rows]
    exact = nearest(asked, codes, k, metric_of(index), rows).distances
    found = search_index(index, codes, asked, k, rows).distances
    return float(np.mean(found <= exact[:, -1:] * (1 + 1e-6) + 1e-9))


def _write_exact(file: Path, codes: np.ndarray, metric: IndexMetric) -> None:
    """FAISS writes what the index points to, which here is a memory map."""
    if metric == "l2":
        for rows in _blocks(codes):
            comparable(codes[rows], metric)  # to refuse what is not finite
        return _write_flat(file, codes, metric)
    unit = file.with_suffix(".unit.npy")
    try:
        with unit.open("wb") as opened:
            write_header(opened, codes.shape, "float32")
            for rows in _blocks(codes):
                opened.write(comparable(codes[rows], metric).tobytes())
        return _write_flat(file, np.load(unit, mmap_mode="r"), metric)
    finally:
        unit.unlink(missing_ok=True)


def _write_flat(file: Path, codes: np.ndarray, metric: IndexMetric) -> None:
    codes = np.ascontiguousarray(codes, "float32")
    index = faiss.IndexFlat(codes.shape[1], _FAISS[metric])
    view = faiss.MaybeOwnedVectorUInt8
    address = faiss.cast_integer_to_void_ptr(codes.ctypes.data)
    index.codes = view.create_view(address, codes.nbytes, view().owner)
    index.ntotal = len(codes)
    faiss.write_index(index, str(file))


def _approximate(codes: np.ndarray, kind: Kind, metric: IndexMetric) -> faiss.Index:
    N, D = codes.shape
    if kind == "hnsw":
        index = faiss.IndexHNSWFlat(D, _LINKS, _FAISS[metric])
        index.hnsw.efConstruction = _EFFORT_OF_BUILDING
        index.hnsw.efSearch = _EFFORT
    else:
        cells = max(1, min(round(4 * N**0.5), N // _TRAINING_CODES_PER_CELL))
        index = faiss.IndexIVFFlat(faiss.IndexFlat(D, _FAISS[metric]), D, cells, _FAISS[metric])
        index.nprobe = min(_PROBES, cells)
        index.cp.max_points_per_centroid = _TRAINING_CODES_PER_CELL
        rows = np.random.default_rng(0).permutation(N)[: _TRAINING_CODES_PER_CELL * cells]
        with _by_l2(index):
            index.train(comparable(codes[np.sort(rows)], metric))
    with tqdm(total=N, desc=kind, unit=" codes", dynamic_ncols=True) as bar:
        for rows in _blocks(codes):
            with _by_l2(index):
                index.add(comparable(codes[rows], metric))
            bar.update(index.ntotal - bar.n)
    return index


def _blocks(codes: np.ndarray):
    step = max(1, _BLOCK // codes.shape[1])
    return (slice(start, start + step) for start in range(0, len(codes), step))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[-200:]
