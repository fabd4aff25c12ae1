"""Neighbours from the command line."""

import csv

import numpy as np
import pytest
from imageio.v3 import imread
from PIL import Image

from dim import data
from experiments.knn import Options, knn


@pytest.fixture
def ask(initial_run, capsys):
    """Asks for neighbours in this process, and returns the rows of the table."""

    def ask(**options):
        knn(Options(**options))
        assert "knn_l2.png" in capsys.readouterr().out
        with (initial_run.path / "neighbours.csv").open() as file:
            return list(csv.DictReader(file))

    return ask


def test_chosen_queries_come_in_order_and_against_val_never_find_themselves(ask):
    rows = ask(queries="7,0,3", against="val", k=9)
    names = data.load("photographs", 16).val.names
    assert list(dict.fromkeys(row["query"] for row in rows)) == [names[i] for i in (7, 0, 3)]
    assert all(row["query"] != row["neighbour"] for row in rows)
    assert {row["rank"] for row in rows} == {str(rank) for rank in range(1, 10)}


def test_the_same_seed_asks_the_same_queries_and_another_asks_others(ask):
    asked = [[row["query"] for row in ask(count=3, seed=seed)] for seed in (0, 0, 1)]
    assert asked[0] == asked[1] != asked[2]


def test_an_image_of_ones_own_finds_itself_in_the_training_images(ask, initial_run, photographs):
    image = data.load(str(photographs), 16).train.names[4]
    rows = ask(image=(str(photographs / image),), k=1)
    assert [row["neighbour"] for row in rows] == [image] * 2
    assert [float(row["distance"]) for row in rows] == pytest.approx([0, 0], abs=1e-3)
    assert imread(initial_run.path / "knn_cos.png").shape[2] == 3


def test_a_photograph_of_any_shape_is_a_query(ask, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (70, 200), "uint8")
    Image.fromarray(pixels).save(tmp_path / "my photo.jpg")
    assert {row["query"] for row in ask(image=("my photo.jpg",))} == {"my photo.jpg"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--run", "second"], "runs/second is not a run"),
        (["--queries", "1,99"], "there are validation images 0 to 9"),
        (["--queries", "one"], "must be numbers"),
        (["--image", "nowhere.jpg"], "no image at nowhere.jpg"),
        (["--image", "text.jpg"], "text.jpg cannot be read as an image"),
        (["--k", "1000"], "there are 90 other images in train"),
        (["--against", "val", "--k", "10"], "there are 9 other images in val"),
        (["--seed", "-1"], "a seed must be at least 0"),
        (["--image", "a.jpg", "--queries", "1"], "give one of them"),
        (["--count", "0"], "--count must be at least 1"),
    ],
)
def test_what_cannot_be_asked_is_refused(refused, initial_run, tmp_path, arguments, complaint):
    (tmp_path / "text.jpg").write_text("no image")
    assert complaint in refused("knn", *arguments)


def test_without_a_run_it_takes_the_encoder_that_comes_with_dim_and_says_so(command, photographs, tmp_path):
    status, out, err = command("knn", "--data", photographs, "--count", 2, "--k", 3)
    assert status == 0 and "by the encoder that comes with dim, RUN=pretrained" in err
    assert "runs/pretrained/knn_l2.png" in out and (tmp_path / "runs/pretrained/knn_cos.png").exists()
