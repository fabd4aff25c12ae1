"""Searching an index by images of one's own."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
from imageio.v3 import imread
from PIL import Image

import dim
from dim.training.run import Run
from experiments.index import Options as MakeIndex
from experiments.index import index
from experiments.search import Options, search


@pytest.fixture
def indexed(initial_run, capsys):
    index(MakeIndex(run=str(initial_run.path)))
    capsys.readouterr()
    return initial_run


def found_in(out):
    """Query → its (distance, path) pairs."""
    found, query = {}, None
    for line in out.splitlines():
        if line.startswith("   "):
            _, distance, path = line.split(maxsplit=2)
            found[query].append((float(distance), path))
        else:
            query = line
            found[query] = []
    return found


def test_an_indexed_image_is_its_own_nearest_from_another_process(command, indexed, photographs):
    image = str(photographs / "stripes/stripes 4.png")
    status, out, err = command("search", "--image", image, "--k", 3)
    assert status == 0, err
    (distance, path), *others = found_in(out)[image]
    assert path == image and distance < 1e-5 and len(others) == 2
    assert (indexed.path / "search.png").exists() and "search.png" in out


@pytest.mark.parametrize("metric", ["l2", "cosine", "l1", "mahalanobis"])
def test_several_images_of_any_size_are_searched_by_any_metric(
    metric, indexed, photographs, tmp_path, capsys
):
    wide = Image.new("RGB", (48, 16), "grey")
    with Image.open(photographs / "blotches/blotches 7.png") as image:
        wide.paste(image, (16, 0))
    wide.save(tmp_path / "wide one.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 200), "uint8")).save(
        tmp_path / "grau ü.jpg"
    )
    text = "'wide one.png' 'grau ü.jpg'"  # as make passes several on
    search(Options(image=(text,), run=str(indexed.path), k=4, metric=metric))
    found = found_in(capsys.readouterr().out)
    assert found["wide one.png"][0][1] == str(photographs / "blotches/blotches 7.png")
    for query in "wide one.png", "grau ü.jpg":
        distances = [distance for distance, _ in found[query]]
        assert len(distances) == 4 and distances == sorted(distances)
    assert imread(indexed.path / "search.png").shape[2] == 3


def test_what_cannot_be_searched_is_one_line(indexed, photographs, tmp_path, declined):
    (tmp_path / "text.jpg").write_text("no image")
    image = (str(photographs / "stripes/stripes 4.png"),)
    asked = {"run": str(indexed.path), "image": image}
    for change, pieces in (
        ({"image": ("text.jpg",)}, ["text.jpg cannot be read as an image"]),
        ({"image": ("nowhere.jpg",)}, ["no image at nowhere.jpg"]),
        ({"image": ("a b.jpg",)}, ["no image at a b.jpg"]),
        ({"image": ("text.jpg nowhere.jpg",)}, ["text.jpg cannot be read as an image"]),
        ({"image": ("it's.jpg",)}, ["it's.jpg", "quotation"]),
        ({"image": ()}, ["make search IMAGE="]),
        ({"k": 101}, ["--k 101", "holds 100 images"]),
        ({"k": 0}, ["--k 0"]),
        ({"data": ("cars",)}, ["no index of cars", "photographs"]),
        ({"json": True, "paths": True}, ["--json", "give one of them"]),
        ({"run": "second"}, ["runs/second is not a run"]),
    ):
        with declined(*pieces):
            search(Options(**{**asked, **change}))


@pytest.fixture
def asked(indexed, photographs, tmp_path, capsys):
    """`asked(k=3, json=True)`: what is printed for an image, which lies in two indexes."""
    shutil.copytree(photographs / "blotches", tmp_path / "spots")
    for file in sorted((tmp_path / "spots").iterdir())[2:]:
        file.unlink()
    (sorted((tmp_path / "spots").iterdir())[0]).rename(tmp_path / "spots/=a\nb.png")
    index(MakeIndex(run=str(indexed.path), data=str(tmp_path / "spots")))
    capsys.readouterr()

    def asked(**options):
        image = str(photographs / "blotches/blotches 0.png")
        search(Options(image=(image,), run=str(indexed.path), data=("photographs", "spots"), **options))
        return capsys.readouterr().out

    return asked


def test_several_indexes_are_searched_together_and_printed_for_programs(asked, photographs, tmp_path):
    (found,) = json.loads(asked(k=3, json=True))
    assert found["image"] == str(photographs / "blotches/blotches 0.png")
    first, second, third = found["neighbours"]
    assert [each["rank"] for each in found["neighbours"]] == [1, 2, 3]
    assert {first["path"], second["path"]} == {found["image"], str(tmp_path / "spots/=a\nb.png")}
    assert {first["data"], second["data"]} == {str(photographs), str(tmp_path / "spots")}
    assert first["distance"] <= second["distance"] < 1e-5 < third["distance"]
    of_photographs = first if first["data"] == str(photographs) else second
    assert of_photographs["label"] == "blotches" and of_photographs["id"] == 0

    rows = list(csv.DictReader(io.StringIO(asked(k=3, csv=True))))
    assert {row["path"] for row in rows[:2]} == {found["image"], str(tmp_path / "spots/=a\\nb.png")}
    assert [int(row["rank"]) for row in rows] == [1, 2, 3] and float(rows[2]["distance"]) == third["distance"]
    lines = asked(k=3, paths=True).splitlines()
    assert len(lines) == 3 and lines[2] == third["path"]
    assert not (tmp_path / "runs/first/search.png").exists()


def test_neighbours_may_have_a_least_and_a_greatest_distance(asked, tmp_path):
    (found,) = json.loads(asked(k=102, json=True))
    distances = [each["distance"] for each in found["neighbours"]]
    assert len(distances) == 102 and distances == sorted(distances)
    low, high = distances[10] + 1e-9, distances[50]
    (found,) = json.loads(asked(k=102, json=True, min=low, max=high))
    assert all(low <= each["distance"] <= high for each in found["neighbours"]) and found["neighbours"]
    assert "nothing at such a distance" in asked(min=1e9)
    assert "search.png" in asked(k=2)


def test_only_a_class_or_a_folder_is_found_in_whichever_index_has_it(asked, photographs, declined):
    (found,) = json.loads(asked(k=50, json=True, only="stripes"))
    assert {each["label"] for each in found["neighbours"]} == {"stripes"} and len(found["neighbours"]) == 50
    (found,) = json.loads(asked(k=50, json=True, only="blotches/", metric="l1"))
    assert {each["label"] for each in found["neighbours"]} == {"blotches"}
    assert found["neighbours"][0]["path"] == found["image"]
    with declined("--k 51", "holds 50 images of stripes"):
        asked(k=51, only="stripes")
    with declined("no class stripe;", "did you mean stripes?"):
        asked(only="stripe")


def test_from_python_an_index_is_asked_by_path_picture_and_array(indexed, photographs, declined):
    found = dim.Index(indexed.path / "index/photographs")
    file = photographs / "stripes/stripes 4.png"
    with Image.open(file) as image:
        pixels = np.asarray(image)
        for asked in file, str(file), image, pixels:
            nearest = found.search(asked, 3)
            assert (
                nearest.paths[0] == str(file) and nearest.labels[0] == "stripes" and len(nearest.paths) == 3
            )
            assert nearest.distances[0] < 1e-5 and (np.diff(nearest.distances) >= 0).all()
    assert found.search(pixels, 100, "l1").ids != list(range(100))
    assert set(found.search(file, 50, only="blotches").labels) == {"blotches"}
    with declined("k 51", "holds 50 images of blotches"):
        found.search(file, 51, only="blotches")
    with declined("k 101", "holds 100 images"):
        found.search(file, 101)
    with declined("no image at nowhere.png"):
        found.search("nowhere.png")
    with pytest.raises(ValueError, match="uint8"):
        found.search(pixels / 255)
    with declined("nowhere is not an index"):
        dim.Index("nowhere")


def test_a_run_without_an_index_says_how_to_make_one(initial_run, photographs, declined):
    with declined("has no index yet", "make index"):
        search(Options(image=(str(photographs / "stripes/stripes 4.png"),), run=str(initial_run.path)))


def test_an_index_of_another_run_is_refused(indexed, photographs, tmp_path, declined):
    from dataclasses import replace

    from dim.methods.build import build_model

    other = Run(f"{tmp_path}/runs/other")
    configuration = replace(indexed.configuration(), seed=1)
    other.claim(configuration)
    other.save(build_model(configuration))
    shutil.copytree(indexed.path / "index", other.path / "index")
    with declined("codes of another encoder", "make index RUN="):
        search(Options(image=(str(photographs / "stripes/stripes 4.png"),), run=str(other.path)))
