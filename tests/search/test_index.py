"""Index folders: making them, finding them, and what is wrong with them."""

import json
import os
import shutil

import faiss
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from dim.search.index import Index, find
from dim.search.nearest import nearest
from tests.search.conftest import BLIND, OTHER, RUN, N, embed


def test_codes_paths_and_labels_belong_together(make, pets, tmp_path):
    index = make()
    images = np.stack([index.picture(i, 8) for i in range(N)])
    np.testing.assert_allclose(index.codes, embed(images), atol=1e-5)
    assert [index.path(i) for i in range(N)] == [str(file) for file in sorted(pets.glob("*/*.png"))]
    assert [index.caption(i) for i in range(N)] == ["cat"] * 6 + ["dog"] * 6
    assert [index.file_name(0), index.name(6)] == ["00 ü.png", "dog/01 ü.png"]
    table = pyarrow.parquet.read_table(index.folder / "images.parquet").to_pydict()
    assert table["label"] == ["cat"] * 6 + ["dog"] * 6 and table["path"][0] == "cat/00 ü.png"
    assert np.load(index.folder / "codes.npy").shape == (N, 5)
    assert "cat/zzz.jpg: UnidentifiedImageError" in (index.folder / "skipped.txt").read_text()
    held = {"codes.npy", "images.parquet", "index.faiss", "index.json", "skipped.txt"}
    assert {file.name for file in index.folder.iterdir()} == held
    assert str(index.folder) == "runs/first/index/pets"


@pytest.mark.parametrize("metric", ["l2", "cosine", "l1", "mahalanobis"])
@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf"])
def test_search_is_exact_search_whatever_the_index_was_made_for(kind, metric, make):
    index = make(kind, "l2")
    queries = index.codes[:3] + np.float32(0.01)
    found, expected = index.search(queries, 4, metric), nearest(queries, index.codes, 4, metric)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-4, atol=1e-6)


def test_what_is_true_still_is_not_embedded_again(make):
    made = make()
    before = (made.folder / "codes.npy").stat().st_mtime_ns
    assert type(make(embedder=BLIND).engine).__name__ == "Exact"
    assert type(make("hnsw", embedder=BLIND).engine).__name__ == "Hnsw"
    assert json.loads((made.folder / "index.json").read_text())["kind"] == "hnsw"
    assert (made.folder / "codes.npy").stat().st_mtime_ns == before


def test_an_index_of_another_encoder_is_embedded_anew(make, capsys):
    first = np.array(make().codes)
    assert not np.allclose(make(embedder=OTHER).codes, first)
    assert capsys.readouterr().out.count("embedding anew") == 1


def test_the_old_index_is_there_until_the_new_one_is(make, pets, paint, monkeypatch):
    make()
    paint(pets / "dog/new.png", (1, 2, 3))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("dim.search.indexer.write_table", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        make()
    assert len(find(RUN)) == N
    assert len(make(embedder=BLIND)) == N + 1  # nothing is left to embed
    assert [folder.name for folder in (RUN / "index").iterdir()] == ["pets"]


def test_one_of_several_indexes_is_found_by_name_or_path_and_the_last_without(make, pets, tmp_path, refused):
    shutil.copytree(pets, tmp_path / "animals.v2")
    make(), make(where=tmp_path / "animals.v2")
    assert find(RUN).folder.name == "animals.v2"
    for asked in "pets", str(pets), f"{pets}/":
        assert find(RUN, asked).folder.name == "pets"
    assert find(RUN, str(tmp_path / "animals.v2")).folder.name == "animals.v2"
    with refused("no index of cars", "animals.v2, pets"):
        find(RUN, "cars")


def test_another_folder_of_the_same_name_does_not_take_the_place(make, pets, tmp_path, refused):
    make()
    shutil.copytree(pets, tmp_path / "other/pets")
    with refused("runs/first/index/pets", f"is the index of {pets}", "rename"):
        make(where=tmp_path / "other/pets")


def test_without_an_index_it_says_how_to_make_one(refused):
    with refused("runs/first has no index", "make index RUN=runs/first DATA="):
        find(RUN)


def test_images_none_of_which_can_be_read_are_refused(make, tmp_path, refused):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/a.png").write_text("no image")
    with refused("bad", "none of the images can be read", "a.png: UnidentifiedImageError"):
        make(where=tmp_path / "bad")


def test_an_index_of_another_encoder_or_code_length_is_refused(make, refused):
    index = make()
    index.check("one", 5)
    with refused("codes of another encoder", "runs/first", "make index RUN=runs/first DATA="):
        index.check("other", 5)
    with refused("codes of length 5", "gives 6", "make index RUN=runs/first DATA="):
        index.check("one", 6)


def damage_codes(folder):
    (folder / "codes.npy").write_bytes(b"")


def shorten_codes(folder):
    np.save(folder / "codes.npy", np.zeros((3, 5), "float32"))


def damage_table(folder):
    (folder / "images.parquet").write_text("nonsense")


def rename_column(folder):
    pyarrow.parquet.write_table(pyarrow.table({"file": ["a"] * N}), folder / "images.parquet")


def damage_note(folder):
    (folder / "index.json").write_text("{}")


def change_note(name, value):
    def change_note(folder):
        about = json.loads((folder / "index.json").read_text())
        (folder / "index.json").write_text(json.dumps({**about, name: value}))

    return change_note


def write_paths(first, kind=None):
    """The first path being another, or all of another type."""

    def write_paths(folder):
        paths = pyarrow.array([first] + [first if kind else "a"] * (N - 1), kind or pyarrow.string())
        labels = pyarrow.array([None] * N, pyarrow.string())
        pyarrow.parquet.write_table(
            pyarrow.table({"path": paths, "label": labels}), folder / "images.parquet"
        )

    return write_paths


def other_codes(codes):
    return lambda folder: np.save(folder / "codes.npy", codes)


DAMAGES = [
    damage_codes,
    shorten_codes,
    damage_table,
    rename_column,
    damage_note,
    change_note("data", None),
    change_note("metric", "l1"),
    change_note("made_by", []),
    write_paths(None),
    write_paths(7, pyarrow.int64()),
    write_paths("../../etc/photo.jpg"),
    write_paths("cat/../../photo.jpg"),
    write_paths("/etc/photo.jpg"),
    write_paths("a" * 100_000),
    other_codes(np.zeros((N, 5))),
    other_codes(np.zeros(N, "float32")),
    other_codes(np.array(["a"] * N)),
]


def test_a_damaged_index_is_one_line_until_it_is_made_again(make, refused, capsys):
    folder = make().folder
    for damage in DAMAGES:
        damage(folder)
        with refused(folder, "damaged", "make the index anew"):
            Index(folder)
        assert len(make()) == N and Index(folder).name(0) == "cat/00 ü.png"
    assert "is damaged: embedding anew" in capsys.readouterr().out


def remove(file):
    file.unlink()


def of_other_metric(file):
    index = faiss.IndexFlat(5, faiss.METRIC_L1)
    index.add(np.zeros((N, 5), "float32"))
    faiss.write_index(index, str(file))


def of_other_kind(file):
    index = faiss.IndexLSH(5, 8)
    index.add(np.zeros((N, 5), "float32"))
    faiss.write_index(index, str(file))


@pytest.mark.parametrize(
    "damage", [remove, lambda file: file.write_bytes(b"nonsense" * 9), of_other_metric, of_other_kind]
)
def test_a_faiss_index_that_is_gone_or_damaged_is_made_again_and_the_codes_are_kept(
    damage, make, refused, capsys
):
    index = make()
    damage(index.folder / "index.faiss")
    with refused(index.folder / "index.faiss", "make the index anew"):
        Index(index.folder).search(index.codes[:1], 1, "cosine")
    assert make(embedder=BLIND).search(index.codes[:1], 1, "cosine").indices[0, 0] == 0
    assert "index.faiss" in capsys.readouterr().out


def test_names_that_are_no_utf8_or_hold_a_line_end_still_open(make, paint, tmp_path):
    names = [os.fsdecode(b"caf\xe9.png"), "two\nlines.png"]
    where = tmp_path / os.fsdecode(b"folder \xff")
    where.mkdir()
    for grey, name in zip((0, 200), names, strict=True):
        paint(tmp_path / "a.png", (grey,) * 3).rename(where / name)
    index = make(where=where)
    assert [index.path(i) for i in range(2)] == [str(where / name) for name in names]
    assert [index.picture(i, 4).max() for i in range(2)] == [0, 200]
    assert find(RUN, str(where)).where == str(where)
    index.folder.name.encode("utf8")


def test_a_faiss_index_of_other_codes_is_refused(make, pets, tmp_path, refused):
    shutil.copytree(pets / "cat", tmp_path / "cats")
    few, many = make(where=tmp_path / "cats"), make()
    shutil.copy(few.folder / "index.faiss", many.folder)
    with refused("index.faiss holds 6 codes", "make the index anew"):
        Index(many.folder).search(many.codes[:1], 1, "cosine")


def test_an_image_that_is_gone_is_grey_and_called_by_its_name(make, pets):
    index = make()
    (pets / "cat/00 ü.png").unlink()
    assert (index.picture(0, 4) == index.picture(0, 4)[0, 0, 0]).all() and index.path(0) == "cat/00 ü.png"


def test_a_zip_and_the_photo_patches_have_names_but_no_files(make, tiny_zip):
    index = make(where=tiny_zip)
    assert len(index) == 36 and index.caption(0) == "kingfisher"
    assert index.path(0) == index.name(0) == "train/n01/images/n01_0.JPEG"
    picture = index.picture(0, 16)
    assert picture.shape == (16, 16, 3) and np.abs(picture[8, 2].astype(int) - (200, 0, 0)).max() < 10


def test_a_class_or_a_folder_is_searched_alone_and_what_is_none_is_one_line(make, pets, paint, refused):
    for name in "cat/kittens/a.png", "cat/kittens_/b.png", "cat/kitten.png", "dog/cat/kittens/c.png":
        paint(pets / name, (200, len(name), 3))
    index = make()
    names = [index.name(i) for i in range(len(index))]
    for part in "cat", "dog", "cat/", "cat/kittens/":
        rows = index.rows_of(part)
        assert [names[row] for row in rows] == [n for n in names if n.startswith(f"{part.rstrip('/')}/")]
        found = index.search(index.codes[:2], len(rows), "cosine", among=rows)
        assert sorted(found.indices[0].tolist()) == rows.tolist()
    for part, hint in (
        ("cats", "did you mean cat?"),
        ("cat/kittens", "a slash at its end"),
        ("it/", "no folder it/"),
    ):
        with refused("runs/first/index/pets", part, hint):
            index.rows_of(part)


def test_images_by_an_address_are_indexed_grow_and_are_shown(make, pets, paint, capsys):
    where = pets.as_uri()
    make(where=where)
    paint(pets / "dog/new.png", (1, 2, 3))
    index = make(where=where)
    assert "+1 −0 =12" in capsys.readouterr().out and len(make(where=where, embedder=BLIND)) == N + 1
    images = np.stack([index.picture(i, 8) for i in range(N + 1)])
    np.testing.assert_allclose(index.codes, embed(images), atol=1e-5)
    assert index.path(0) == f"{where}/cat/00 ü.png" and index.caption(0) == "cat"
    assert find(RUN, where).folder.name == find(RUN, "pets").folder.name == "pets"
    assert find(RUN, f"{where}/").where == where


@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_a_query_of_the_index_itself_is_not_found(metric, make):
    index, own = make("exact", "cosine"), np.array([3, 0, 7])
    found = index.search(index.codes[own], 4, metric, own)
    expected = nearest(index.codes[own], index.codes, 4, metric, own)
    assert not (found.indices == own[:, None]).any()
    np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-4, atol=1e-6)
