"""An index is a folder RUN/index/DATA: the codes of a data set by a run's encoder, and whose they are.

codes.npy        [N, D] float32, or float16 where that was asked for
images.parquet   path and label (null where there is none) of each, in the order of the codes; bytes of a
                 path that are no UTF-8 stand as \\udcXX; its id, a number that it keeps as long as it is
                 there by that path, and its stamp, another one when it changes; older indexes have neither
index.faiss      of the engine that is FAISS: exact, or approximate; see `dim.search.faiss_index`
index.json       which data, by which encoder
skipped.txt      images that could not be read, with the reason
"""

import shlex
from functools import cached_property
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from dim.data import store
from dim.data.dataset import called
from dim.data.picture import file_inside, picture
from dim.errors import DimError
from dim.files import UNFINISHED, read_json
from dim.names import as_on_disk, as_unicode, did_you_mean
from dim.search.engine import Engine, IndexMetric, Kind, Metric, Neighbours, Precision, engine_of
from dim.search.nearest import nearest

ABOUT = {"data": str, "kind": Kind, "metric": IndexMetric, "made_by": {"encoder": str, "images": str}}
"""The form of index.json."""
_REMEDY = "remove it and make the index anew"
_LONGEST = 24_000  # bytes of a path: 4,096, each escaped
_OUTSIDE = r"^/|^(.*/)?\.\.(/|$)"


class NotIndexed(DimError):
    """There is no index yet, or none of these data."""


class Index:
    """The codes of a data set in such a folder, and the search in them.

    `where` is the data set as for `dim.data.load`, `made_by` what the codes depend on; `codes` are [N, D]
    float32 or float16, memory-mapped, `names` [N] what each image is called in its data set, `labels` [N] the
    classes or None, `ids` [N] and `stamps` [N] as in the table, or None where an older one lacks them. Raises
    DimError if there is no index, or it is damaged.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        if not (folder / "index.json").exists():
            raise DimError(f"{folder} is not an index; make it: make index RUN=… DATA=…")
        about = read_json(folder / "index.json", ABOUT, f"{folder} is damaged, {_REMEDY}")
        self.where, self.kind, self.metric, self.made_by = (about[name] for name in ABOUT)
        self.next_id = about.get("next_id", 0)
        try:
            self.codes = np.load(folder / "codes.npy", mmap_mode="r")
            self.names, self.labels, self.ids, self.stamps = _read_table(folder / "images.parquet")
            if self.codes.dtype not in get_args(Precision) or self.codes.ndim != 2 or not self.codes.size:
                raise ValueError(f"codes {self.codes.shape} {self.codes.dtype}")
            if not isinstance(self.next_id, int):
                raise ValueError(f"next_id is {self.next_id!r}")
            if len(self.codes) != len(self.names):
                raise ValueError(f"codes {self.codes.shape} for {len(self.names)} images")
        except Exception as error:  # NumPy and Arrow each raise in many ways
            reason = " ".join(str(error).split())[:120]
            raise DimError(f"{folder} is damaged ({reason}); {_REMEDY}") from error

    def __len__(self) -> int:
        return len(self.codes)

    def check(self, fingerprint: str, length: int) -> None:
        """Raises DimError if codes of an encoder with this fingerprint and of this length do not compare."""
        held, run = self.codes.shape[1], self.folder.parents[1]
        remedy = f"make it anew: {_command(run, shlex.quote(self.where))}"
        if held != length:
            wrong = f"codes of length {held}, the encoder of {run} gives {length}"
            raise DimError(f"{self.folder} holds {wrong}; {remedy}")
        if self.made_by["encoder"] != fingerprint:
            wrong = f"codes of another encoder than that of {run}: of another run, or of this one before"
            raise DimError(f"{self.folder} holds {wrong} it was trained further; {remedy}")

    @cached_property
    def engine(self) -> Engine:
        """What searches by the metric of the index, opened when it is needed."""
        return engine_of(self.kind)(self.folder, self.codes, self.metric)

    def search(
        self,
        queries: np.ndarray,
        k: int,
        metric: Metric,
        own: np.ndarray | None = None,
        among: np.ndarray | None = None,
    ) -> Neighbours:
        """As `dim.search.nearest.nearest`: by the engine where the index has the metric, otherwise exact.

        Exact is also what is found `among` some rows, ascending, unless the engine knows how to.
        """
        if metric == self.metric and among is None:
            return self.engine.search(queries, k, own)
        if metric == self.metric and self.engine.filters:
            return self.engine.search(queries, k, own, among)
        return nearest(queries, self.codes, k, metric, own, among)

    def rows_of(self, part: str) -> np.ndarray:
        """The images [M] of a class, or of a folder, whose name ends with a slash, and of all below it.

        Raises DimError if there are none.
        """
        folder, name = part.endswith("/"), as_unicode(part)
        of = (
            pyarrow.compute.starts_with(self.names, name)
            if folder
            else pyarrow.compute.equal(self.labels, name)
        )
        rows = np.flatnonzero(of.fill_null(False).to_numpy())
        if not len(rows):
            known = [] if folder else self.labels.unique().drop_null().to_pylist()
            hint = did_you_mean(name, known) or ("" if folder else "a folder has a slash at its end")
            raise DimError(f"{self.folder} has no {'folder' if folder else 'class'} {part}; {hint}")
        return rows

    def path(self, i: int) -> str:
        """Where image i is, as far as it is a file of its own."""
        if store.is_address(self.where):
            return store.inside(self.where, self.name(i))
        return str(file_inside(self.where, self.name(i)) or self.name(i))

    def name(self, i: int) -> str:
        return as_on_disk(self.names[int(i)].as_py())

    def file_name(self, i: int) -> str:
        return Path(self.name(i)).name

    def caption(self, i: int) -> str:
        """Its class, or the name of its file."""
        return self.labels[int(i)].as_py() or self.file_name(i)

    def picture(self, i: int, size: int) -> np.ndarray:
        """Image i, or a grey square if it is no longer there: [size, size, 3] uint8."""
        return picture(self.where, self.name(i), size)


def find(run: Path, data: str = "") -> Index:
    """The index of a data set, given by name or path, in the folder of a run; by default the one made last.

    Raises NotIndexed if there is none, and DimError if it is damaged.
    """
    notes = (note for note in run.glob("index/*/index.json") if not note.parent.name.startswith(UNFINISHED))
    made = [note.parent for note in sorted(notes, key=lambda note: note.stat().st_mtime)]
    if not made:
        raise NotIndexed(f"{run} has no index yet; make one: {_command(run)}")
    if not data:
        return Index(made[-1])
    data = store.name_of(data) if store.is_address(data) else data
    for folder in made:
        if folder.name in (data, called(Path(data).name), called(Path(data).stem)):
            return Index(folder)
    names = ", ".join(sorted(folder.name for folder in made))
    raise NotIndexed(f"{run} has no index of {data}; there are: {names}")


def _command(run: Path, data: str = "…") -> str:
    return f"make index RUN={shlex.quote(str(run))} DATA={data}"


def _read_table(file: Path):
    """Columns path, label, id and stamp of a table; no path is missing or leads out of the data."""
    table = pyarrow.parquet.read_table(file, memory_map=True)
    table.validate(full=True)
    names, labels = table["path"], table["label"]
    text = pyarrow.types.is_string
    if not text(names.type) or not text(labels.type) or names.null_count:
        raise ValueError(f"paths are {names.type}, labels {labels.type}, and {names.null_count} are missing")
    longest = pyarrow.compute.max(pyarrow.compute.binary_length(names)).as_py() or 0
    if longest > _LONGEST:
        raise ValueError(f"a path has {longest:,} bytes")
    outside = pyarrow.compute.match_substring_regex(names, _OUTSIDE)
    if pyarrow.compute.any(outside).as_py():
        raise ValueError(f"{names.filter(outside)[0].as_py()!r} leads out of the data")
    if not {"id", "stamp"} <= set(table.column_names):
        return names, labels, None, None
    ids, stamps = table["id"], table["stamp"]
    if ids.type != pyarrow.int64() or ids.null_count or not text(stamps.type):
        raise ValueError(f"ids are {ids.type}, stamps {stamps.type}, and {ids.null_count} are missing")
    return names, labels, ids, stamps
