"""Near-duplicates planted in a folder are found."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from imageio.v3 import imread
from PIL import Image

from experiments.index import Options as MakeIndex
from experiments.index import index
from experiments.near_duplicates import Options, near_duplicates


@pytest.fixture
def indexed(initial_run, photographs):
    """Two copies and one slightly brighter version among noise, where nothing else is alike."""
    shutil.rmtree(photographs)
    photographs.mkdir()
    rng = np.random.default_rng(0)
    for i in range(30):
        pixels = rng.integers(0, 250, (16, 16, 3), "uint8")
        Image.fromarray(pixels).save(photographs / f"{i} ü.png")
        if i in (3, 17):
            shutil.copy(photographs / f"{i} ü.png", photographs / f"{i} copy.png")
        if i == 8:
            Image.fromarray(pixels + np.uint8(1)).save(photographs / "8 brighter.png")
    index(MakeIndex(run=str(initial_run.path)))
    return initial_run


def written(run):
    with (run.path / "index/photographs/near-duplicates.csv").open(encoding="utf8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_the_closest_pairs_are_the_planted_ones(metric, indexed, capsys):
    near_duplicates(Options(run=str(indexed.path), threshold=1e9 if metric == "l2" else 2, metric=metric))
    pairs = [{row["one"], row["other"]} for row in written(indexed)]
    copies = [{"3 copy.png", "3 ü.png"}, {"17 copy.png", "17 ü.png"}]
    assert len(pairs) == 33 * 32 / 2 and all(pair in pairs[:2] for pair in copies)
    assert pairs[2] == {"8 brighter.png", "8 ü.png"}
    out = capsys.readouterr().out
    assert "and 508 more" in out and "528 pairs of 33 images" in out
    assert imread(indexed.path / "index/photographs/near-duplicates.png").shape[2] == 3


def test_groups_name_what_to_keep_and_what_is_the_same(indexed, photographs, capsys):
    shutil.move(photographs / "8 brighter.png", photographs / "=8.png")
    Image.open(photographs / "3 ü.png").save(photographs / "3.bmp")
    index(MakeIndex(run=str(indexed.path)))
    near_duplicates(Options(run=str(indexed.path), threshold=2))
    distance = next(float(row["distance"]) for row in written(indexed) if "'=8.png" in row.values())
    near_duplicates(Options(run=str(indexed.path), threshold=1.01 * distance))
    folder = indexed.path / "index/photographs"
    groups = json.loads((folder / "duplicate-groups.json").read_text("utf8"))
    found = [(group["kind"], *(Path(image["path"]).name for image in group["images"])) for group in groups]
    assert ("same bytes", "17 copy.png", "17 ü.png") in found and ("near", "8 ü.png", "=8.png") in found
    assert found[0][0] == "same pixels" and set(found[0][1:]) == {"3 copy.png", "3 ü.png", "3.bmp"}
    assert all(
        group["keep"] == group["images"][0]["path"] and Path(group["keep"]).is_file() for group in groups
    )
    assert groups[0]["images"][0]["width"] == 16 and groups[0]["images"][0]["bytes"] > 700
    with (folder / "duplicate-groups.csv").open(encoding="utf8") as file:
        rows = list(csv.DictReader(file))
    assert [row["keep"] for row in rows].count("yes") == 4 and len(rows) == 3 + 2 + 2 + 2
    assert "4 groups (2 same bytes, 1 same pixels, 1 near)" in capsys.readouterr().out
    assert {row["same"] for row in written(indexed)} == {"bytes", "pixels", ""}


def test_images_of_one_data_set_are_found_in_another(indexed, photographs, tmp_path, capsys, declined):
    (tmp_path / "others").mkdir()
    for name in "5 ü.png", "8 ü.png":
        shutil.copy(photographs / name, tmp_path / "others" / f"from {name}")
    index(MakeIndex(run=str(indexed.path), data=str(tmp_path / "others")))
    asked = {"run": str(indexed.path), "data": "photographs", "across": "others"}
    near_duplicates(Options(**asked, threshold=1e-6))
    with (indexed.path / "index/photographs/across-others.csv").open(encoding="utf8") as file:
        pairs = {(row["one"], row["other"], row["same"]) for row in csv.DictReader(file)}
    assert pairs == {(name, f"from {name}", "bytes") for name in ("5 ü.png", "8 ü.png")}
    assert "2 pairs of 33 images and 2 of others" in capsys.readouterr().out
    assert imread(indexed.path / "index/photographs/across-others.png").std() > 0
    note = indexed.path / "index/others/index.json"
    note.write_text(note.read_text().replace('"encoder": "', '"encoder": "0'))
    with declined("hold codes of different encoders"):
        near_duplicates(Options(**asked))


@pytest.mark.parametrize("across", [False, True])
def test_an_index_is_asked_for_pairs_where_comparing_all_takes_too_long(
    across, indexed, photographs, tmp_path, monkeypatch, declined
):
    asked = {"run": str(indexed.path), "data": "photographs", "threshold": 1e-6}
    if across:
        shutil.copytree(photographs, tmp_path / "others")
        asked["across"] = "others"
    index(
        MakeIndex(
            run=str(indexed.path), data=str(tmp_path / "others" if across else photographs), kind="hnsw"
        )
    )
    file = indexed.path / f"index/photographs/{'across-others' if across else 'near-duplicates'}.csv"
    near_duplicates(Options(**asked))
    expected = file.read_text("utf8")
    monkeypatch.setattr("dim.search.duplicates.close_pairs", None)
    near_duplicates(Options(**asked, by="index"))
    assert sorted(file.read_text("utf8").splitlines()) == sorted(expected.splitlines())
    with declined("is by cosine", "--metric cosine"):
        near_duplicates(Options(**asked, by="index", metric="l2"))


def test_where_nothing_is_that_close_there_is_no_sheet(indexed, capsys):
    near_duplicates(Options(run=str(indexed.path), threshold=1e-6))
    sheet = indexed.path / "index/photographs/near-duplicates.png"
    assert sheet.exists() and len(written(indexed)) == 2
    for file in (indexed.path.parent.parent / "photographs").glob("* copy.png"):
        file.unlink()
    index(MakeIndex(run=str(indexed.path)))
    near_duplicates(Options(run=str(indexed.path), threshold=1e-6))
    assert "0 pairs of 31 images" in capsys.readouterr().out
    assert not sheet.exists() and written(indexed) == []


def test_what_cannot_be_asked_is_one_line(indexed, initial_run, declined):
    with declined("photographs", "not negative"):
        near_duplicates(Options(run=str(indexed.path), threshold=-1))
    with declined("no index of cars"):
        near_duplicates(Options(run=str(indexed.path), data="cars"))
