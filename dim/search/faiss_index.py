"""FAISS indexes of codes on disk: exact, or approximate for millions."""

from collections.abc import Iterator
from pathlib import Path

import faiss
import numpy as np
from tqdm import tqdm

from dim.errors import DimError
from dim.files import replace
from dim.search.engine import Engine, IndexMetric, Neighbours
from dim.search.nearest import by_differences, comparable, ranked, without_own

_NUMBERS = {"l2": faiss.METRIC_L2, "cosine": faiss.METRIC_INNER_PRODUCT}
_METRICS = {number: name for name, number in _NUMBERS.items()}
_HALF = faiss.ScalarQuantizer.QT_fp16
_GROWING = (
    faiss.IndexHNSWFlat,
    faiss.IndexHNSWSQ,
    faiss.IndexIVFFlat,
    faiss.IndexIVFScalarQuantizer,
    faiss.IndexIVFPQ,
)
_KINDS = (faiss.IndexFlat, faiss.IndexScalarQuantizer, *_GROWING)
_BLOCK = 2**22  # floats that are added at once: 16 MB
_LINKS, _EFFORT_OF_BUILDING, _EFFORT = 32, 80, 128
_TRAINING_CODES_PER_CELL, _PROBES = 64, 64
_MOST_CELLS, _BYTES, _COMPARED = 4096, 32, 20  # of ivfpq
_COMPARED_OF_HALF = 4


class _Faiss(Engine):
    """The file `index.faiss`, which FAISS reads by itself too. For `cosine` its codes have unit length.

    Distances are exact, whatever is found. Codes in half precision are so in the file, too; by cosine they
    are rounded once more there, so that more candidates are compared. Each kind has a `_write` of its own,
    which fills the file.
    """

    file = "index.faiss"
    compared = 1
    """Candidates that are compared exactly for each neighbour that is wanted."""

    def __init__(self, folder: Path, codes: np.ndarray, metric: IndexMetric):
        super().__init__(folder, codes, metric)
        if codes.dtype == "float16":
            self.compared = max(self.compared, _COMPARED_OF_HALF)
        file, (N, D), remedy = folder / self.file, codes.shape, "remove it and make the index anew"
        if not file.is_file():
            raise DimError(f"{file} is not there; make the index anew")
        try:
            self.index = index = faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC)
            if not isinstance(index, _KINDS) or index.metric_type not in _METRICS:
                raise RuntimeError(f"{type(index).__name__} of metric {index.metric_type} is none of ours")
        except RuntimeError as error:
            raise DimError(f"{file} cannot be read ({_one_line(error)}); {remedy}") from error
        held = _METRICS[index.metric_type], index.ntotal, index.d
        if held != (metric, N, D):
            holds = f"{file} holds {held[1]} codes of length {held[2]} by {held[0]}"
            raise DimError(f"{holds}, not {N} of length {D} by {metric}; {remedy}")
        _compare_by(index, "l2")

    @classmethod
    def write(cls, folder: Path, codes: np.ndarray, metric: IndexMetric) -> None:
        try:
            replace(folder / cls.file, lambda file: cls._write(file, codes, metric))
        except RuntimeError as error:  # of FAISS, which says so in C++
            raise DimError(f"cannot write {folder / cls.file}: {_one_line(error)}") from error

    @classmethod
    def extend(cls, old: Path, folder: Path, codes: np.ndarray, metric: IndexMetric) -> None:
        """Adds to a graph or to cells, until codes are twice as many as they were made for."""
        try:
            index = faiss.read_index(str(old / cls.file))
        except RuntimeError:  # damaged
            index = None
        held = index and (index.d, _METRICS.get(index.metric_type))
        grown = isinstance(index, _GROWING) and index.ntotal <= len(codes) < 2 * index.ntotal
        if grown and held == (codes.shape[1], metric):
            replace(folder / cls.file, lambda file: _fill(file, index, codes, metric, cls.__name__.lower()))
        else:
            cls.write(folder, codes, metric)

    def search(self, queries: np.ndarray, k: int, own: np.ndarray | None = None) -> Neighbours:
        wanted = k if own is None else k + 1
        if isinstance(self.index, faiss.IndexHNSW):
            self.index.hnsw.efSearch = max(_EFFORT, 2 * wanted)
        with by_differences():
            compared = min(len(self.codes), self.compared * wanted)
            _, candidates = self.index.search(comparable(queries, self.metric), compared)
        alien = candidates[(candidates < -1) | (candidates >= len(self.codes))]
        if len(alien):
            raise ValueError(f"the index knows a code {alien[0]} of {len(self.codes)}; make it anew")
        found = ranked(queries, self.codes, candidates, self.metric)
        found = Neighbours(*(part[:, :wanted] for part in found))
        return found if own is None else without_own(found, np.asarray(own))


class Exact(_Faiss):
    """Every code is compared. Written and searched from memory maps: nothing is held in memory."""

    @staticmethod
    def _write(file: Path, codes: np.ndarray, metric: IndexMetric) -> None:
        """FAISS writes what the index points to, which here is a memory map."""
        unit, stored = file.with_suffix(".unit"), _stored(codes)
        try:
            with unit.open("wb") as opened:
                for rows in _blocks(codes, metric):  # by l2, too, to refuse what is not finite
                    opened.write(rows.astype(stored).tobytes() if metric == "cosine" else b"")
            if metric == "cosine":
                codes = np.memmap(unit, stored, "r", shape=codes.shape)
            codes, number = np.ascontiguousarray(codes, stored), _NUMBERS[metric]
            half = faiss.IndexScalarQuantizer(codes.shape[1], _HALF, number)
            index = half if stored == "float16" else faiss.IndexFlat(codes.shape[1], number)
            view = faiss.MaybeOwnedVectorUInt8
            address = faiss.cast_integer_to_void_ptr(codes.ctypes.data)
            index.codes = view.create_view(address, codes.nbytes, view().owner)
            index.ntotal = len(codes)
            faiss.write_index(index, str(file))
        finally:
            unit.unlink(missing_ok=True)


class Hnsw(_Faiss):
    """A graph of 32 neighbours a code (Malkov and Yashunin, https://arxiv.org/abs/1603.09320).

    Searched with effort 128. Takes 4·D + 272 bytes a code in memory, 2·D + 272 in half precision.
    """

    @staticmethod
    def _write(file: Path, codes: np.ndarray, metric: IndexMetric) -> None:
        D, number = codes.shape[1], _NUMBERS[metric]
        if _stored(codes) == "float16":
            index = faiss.IndexHNSWSQ(D, _HALF, _LINKS, number)
            index.train(np.zeros((1, D), "float32"))  # which it wants, and learns nothing from
        else:
            index = faiss.IndexHNSWFlat(D, _LINKS, number)
        index.hnsw.efConstruction, index.hnsw.efSearch = _EFFORT_OF_BUILDING, _EFFORT
        _fill(file, index, codes, metric, "hnsw")


class Ivf(_Faiss):
    """Codes in about 4·√N cells around the centres of k-means, 64 of which are searched.

    Built faster than hnsw; takes 4·D + 8 bytes a code in memory, 2·D + 8 in half precision.
    """

    @staticmethod
    def _write(file: Path, codes: np.ndarray, metric: IndexMetric) -> None:
        (N, D), number = codes.shape, _NUMBERS[metric]
        cells = max(1, min(round(4 * N**0.5), N // _TRAINING_CODES_PER_CELL))
        centres = faiss.IndexFlat(D, number)
        half = faiss.IndexIVFScalarQuantizer(centres, D, cells, _HALF, number, False)
        index = half if _stored(codes) == "float16" else faiss.IndexIVFFlat(centres, D, cells, number)
        _train(index, codes, metric)
        _fill(file, index, codes, metric, "ivf")


class Ivfpq(_Faiss):
    """Cells as of ivf, in which a code stands as 32 bytes (Jégou et al. 2011, product quantisation).

    For what exceeds memory, which 40 bytes a code take, whatever D. Of the 20·k candidates that these name
    the codes themselves are read from the disk and compared exactly. There are at most 4,096 cells.
    """

    compared = _COMPARED

    @staticmethod
    def _write(file: Path, codes: np.ndarray, metric: IndexMetric) -> None:
        (N, D), number = codes.shape, _NUMBERS[metric]
        cells = max(1, min(round(4 * N**0.5), N // _TRAINING_CODES_PER_CELL, _MOST_CELLS))
        parts = max(part for part in range(1, min(D, _BYTES) + 1) if D % part == 0)
        bits = max(1, min(8, N.bit_length() - 1))
        index = faiss.IndexIVFPQ(faiss.IndexFlat(D, number), D, cells, parts, bits, number)
        index.pq.cp.min_points_per_centroid = 1  # or it complains where there are few codes
        _train(index, codes, metric)
        _fill(file, index, codes, metric, "ivfpq")


def _train(index: faiss.IndexIVF, codes: np.ndarray, metric: IndexMetric) -> None:
    """Finds the centres of the cells, from 64 random codes for each."""
    index.nprobe = min(_PROBES, index.nlist)
    index.cp.max_points_per_centroid = _TRAINING_CODES_PER_CELL
    sample = max(256, _TRAINING_CODES_PER_CELL * index.nlist)
    rows = np.random.default_rng(0).permutation(len(codes))[:sample]
    _compare_by(index, "l2")
    known = comparable(codes[np.sort(rows)], metric)
    index.train(known if len(known) > 1 else np.repeat(known, 2, axis=0))


def _fill(file: Path, index: faiss.Index, codes: np.ndarray, metric: IndexMetric, name: str) -> None:
    """Adds all codes but the first, which the index has already."""
    _compare_by(index, "l2")
    codes = codes[index.ntotal :]
    with tqdm(total=len(codes), desc=name, unit=" codes", dynamic_ncols=True) as bar:
        for rows in _blocks(codes, metric):
            index.add(rows)
            bar.update(len(rows))
    _compare_by(index, metric)
    faiss.write_index(index, str(file))


def _compare_by(index: faiss.Index, metric: IndexMetric) -> None:
    """Has an index compare by another metric than it was made for.

    Vectors of unit length rank by L2 as by inner products, without these being rounded to 1 where codes
    have nearly collapsed. In files stand inner products, for whoever reads them without this library.
    """
    for part in index, getattr(index, "storage", None), getattr(index, "quantizer", None):  # of hnsw, of ivf
        if part is not None:
            part.metric_type = _NUMBERS[metric]
    if isinstance(index, faiss.IndexHNSW):
        index.hnsw.is_similarity = metric == "cosine"


def _stored(codes: np.ndarray) -> str:
    """The type of the numbers in the file."""
    return "float16" if codes.dtype == "float16" else "float32"


def _blocks(codes: np.ndarray, metric: IndexMetric) -> Iterator[np.ndarray]:
    step = max(1, _BLOCK // codes.shape[1])
    return (comparable(codes[start : start + step], metric) for start in range(0, len(codes), step))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[-200:]
