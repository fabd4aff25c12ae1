"""The codes of an index for other programs: Parquet, and TensorBoard's projector."""

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
from tqdm import tqdm

from dim.pictures.projector import write_projector
from dim.search.index import Index

_ROWS = 10_000
_SHOWN, _THUMBNAIL = 2000, 32


def write_codes_table(file: Path, index: Index) -> None:
    """Writes path, label and code of each image as Parquet, block by block; a code is a list of D float32."""
    N, D = index.codes.shape
    kind = pyarrow.list_(pyarrow.float32(), D)
    schema = pyarrow.schema({"path": pyarrow.string(), "label": pyarrow.string(), "code": kind})
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        for start in range(0, N, _ROWS):
            codes = np.ascontiguousarray(index.codes[start : start + _ROWS], "float32")
            columns = [column.slice(start, _ROWS).combine_chunks() for column in (index.names, index.labels)]
            codes = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(codes.ravel()), D)
            writer.write_table(pyarrow.table([*columns, codes], schema=schema))


def write_index_projector(folder: Path, index: Index) -> int:
    """Writes the files of TensorBoard's projector for at most 2,000 random images; returns how many."""
    rows = np.sort(np.random.default_rng(0).permutation(len(index))[:_SHOWN])
    bar = tqdm(rows, desc="thumbnails", unit=" images", dynamic_ncols=True)
    images = np.stack([index.picture(i, _THUMBNAIL) for i in bar])
    captions, names = ([of(i) for i in rows] for of in (index.caption, index.name))
    write_projector(folder, index.codes[rows], images, captions, names)
    return len(rows)
