"""The codes of an index leave for other programs as they are."""

import numpy as np
import pyarrow.parquet
import pytest
from imageio.v3 import imread

from dim import data
from dim.export.index_table import write_codes_table, write_index_projector
from dim.search.embedder import Embedder
from dim.search.indexer import build_index


@pytest.fixture
def index(paint, tmp_path):
    for i in range(11):
        paint(tmp_path / f"pets/{['cat', 'dog'][i % 2]}/{i} ü.png", (20 * i, 0, 0))
    where = str(tmp_path / "pets")
    embedder = Embedder(lambda images: images[:, ::2, 4, 0][:, [0, 1, 1, 2, 3]] + np.arange(5.0), "one", 8, 5)
    return build_index(tmp_path / "index", where, data.listed(where, 8), embedder, "exact", "cosine")


@pytest.mark.parametrize("rows", [3, 10_000])
def test_a_table_has_path_label_and_code_of_each_image(index, rows, tmp_path, monkeypatch):
    monkeypatch.setattr("dim.export.index_table._ROWS", rows)
    write_codes_table(tmp_path / "codes.parquet", index)
    table = pyarrow.parquet.read_table(tmp_path / "codes.parquet")
    np.testing.assert_array_equal(np.array(table["code"].to_pylist(), "float32"), index.codes)
    assert table["path"].to_pylist() == [index.name(i) for i in range(11)]
    assert table["label"].to_pylist() == ["cat"] * 6 + ["dog"] * 5


@pytest.mark.parametrize("most", [4, 2000])
def test_the_projector_has_a_row_and_a_thumbnail_for_each_code(index, most, tmp_path, monkeypatch):
    monkeypatch.setattr("dim.export.index_table._SHOWN", most)
    shown = min(most, 11)
    assert write_index_projector(tmp_path, index) == shown
    codes = np.loadtxt(tmp_path / "projector/codes.tsv")
    _, *lines = (tmp_path / "projector/names.tsv").read_text("utf8").splitlines()
    sheet = imread(tmp_path / "projector/thumbnails.png")
    names = {index.name(i): i for i in range(11)}
    assert len(codes) == len(lines) == shown
    for place, (code, line) in enumerate(zip(codes, lines, strict=True)):
        label, name = line.split("\t")
        np.testing.assert_allclose(code, index.codes[names[name]], rtol=1e-5)
        y, x = divmod(place, sheet.shape[1] // 32)
        red = 20 * int(name.split("/")[1].split(" ")[0])
        assert label == name.split("/")[0] and sheet[32 * y + 16, 32 * x + 16].tolist() == [red, 0, 0]
