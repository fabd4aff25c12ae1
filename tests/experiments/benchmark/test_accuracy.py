"""The rows that compare codes with and without the rewrites."""

from types import SimpleNamespace

import keras
import pytest

from experiments.benchmark import keras_tasks
from experiments.benchmark.accuracy import accuracy_rows


class Trained:
    """In place of a process: an accuracy that tells who asked."""

    def __init__(self, found):
        self.found, self.asked = found, []

    def facts(self, task, **arguments):
        self.asked.append((task, arguments))
        return {"accuracy": self.found[arguments["plain"], arguments["seed"]], "images": 30_000}


def test_a_row_has_the_mean_of_both_seeds_on_either_side():
    child = Trained({(False, 0): 0.3, (False, 1): 0.4, (True, 0): 0.2, (True, 1): 0.26})
    options = SimpleNamespace(presets=("seed",), image_size=16, data="pictures", quick=False)
    bench = SimpleNamespace(options=options, quick=False, ours=lambda: child, end=lambda module: None)
    (_, in_float32), (name, in_bfloat16) = accuracy_rows(bench)
    (row,) = in_float32()
    assert (row.ours, row.rival) == (pytest.approx(35), pytest.approx(23)) and row.unit == "%"
    assert "30,000 images" in row.what and row.note.endswith("ours 30.0 and 40.0; plain 20.0 and 26.0")
    assert {arguments["precision"] for _, arguments in child.asked} == {"float32"}
    in_bfloat16()
    assert "mixed_bfloat16" in name and child.asked[-1][1]["precision"] == "mixed_bfloat16"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the rewrites are TensorFlow's")
def test_both_models_learn_from_the_same_images_and_reach_about_the_same(photographs):
    arguments = {"preset": "seed", "precision": "float32", "seed": 0, "epochs": 1, "image_size": 16}
    found = [
        keras_tasks.accuracy(**arguments, where=str(photographs), plain=plain)[1] for plain in (False, True)
    ]
    assert found[0]["images"] == found[1]["images"] == 90
    assert found[0]["accuracy"] == pytest.approx(found[1]["accuracy"], abs=0.3)
    assert 0 <= found[0]["accuracy"] <= 1


def test_without_labels_there_is_nothing_to_say(tmp_path, photographs):
    flat = tmp_path / "flat"
    flat.mkdir()
    for i, file in enumerate(sorted(photographs.rglob("*.png"))[:24]):
        (flat / f"{i}.png").write_bytes(file.read_bytes())
    with pytest.raises(ValueError, match="flat has no labels"):
        keras_tasks.accuracy("seed", "float32", 0, 1, 16, str(flat), plain=False)
