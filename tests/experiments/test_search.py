"""Searching an index by images of one's own."""

import shutil

import numpy as np
import pytest
from imageio.v3 import imread
from PIL import Image

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
        ({"data": "cars"}, ["no index of cars", "photographs"]),
        ({"run": "second"}, ["runs/second is not a run"]),
    ):
        with declined(*pieces):
            search(Options(**{**asked, **change}))


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
