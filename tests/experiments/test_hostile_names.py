"""All programs on a folder whose files and classes are called what no program expects."""

import csv
import os
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from dim.names import printable
from experiments import command_line
from experiments.evaluate.__main__ import Options as Evaluate
from experiments.evaluate.__main__ import evaluate
from experiments.export import Options as Export
from experiments.export import export
from experiments.index import Options as MakeIndex
from experiments.index import index
from experiments.knn import Options as KNN
from experiments.knn import knn
from experiments.near_duplicates import Options as NearDuplicates
from experiments.near_duplicates import near_duplicates
from experiments.report.__main__ import Options as Report
from experiments.report.__main__ import report
from experiments.search import Options as Search
from experiments.search import search
from experiments.train import Options as Train
from experiments.train import train
from experiments.verify import Options as Verify
from experiments.verify import verify
from tests.experiments.conftest import SMALL

NAMES = [
    "two\nlines",
    "$x^$",
    "\x1b[31mred",
    "<script>alert(1)<",
    "=cmd|' '!A0",
    os.fsdecode(b"caf\xe9"),
    "long " * 40,
    "שלום עולם",
    "写真",
    "tab\there",
    "-rf",
    "_hidden",
    "[x](javascript:alert(1))",
    "turned \u202egpj",
]
PROGRAMS = [
    (knn, KNN, ["--count", "14", "--k", "5", "--against", "train"]),
    (evaluate, Evaluate, ["--quick"]),
    (index, MakeIndex, []),
    (near_duplicates, NearDuplicates, ["--threshold", "2"]),
    (report, Report, []),
]


@pytest.fixture
def folder(tmp_path):
    """Three images a class, named after the class, the next and the one after that."""
    rng = np.random.default_rng(0)
    folder = tmp_path / f"da\nta $x^$ {NAMES[5]} 写"
    for i, name in enumerate(NAMES):
        (folder / name).mkdir(parents=True)
        for j in range(3):
            pixels = np.clip(rng.normal(18 * i, 30, (16, 16, 3)), 0, 255).astype("uint8")
            with (folder / name / f"{NAMES[(i + j) % len(NAMES)]}{j}.png").open("wb") as file:
                Image.fromarray(pixels).save(file, "PNG")
    return folder


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a program as its command does, with a standard output that refuses all but ASCII."""
    capture = tmp_path / "printed"

    def run(program, options, *arguments):
        monkeypatch.setattr(sys, "argv", [program.__name__, *arguments])
        with capture.open("w", encoding="ascii", errors="strict") as out:
            monkeypatch.setattr(sys, "stdout", out)
            command_line.run(program, options, "")
            sys.stdout.flush()
        text = capture.read_text("ascii")
        assert text and all(printable(line) == line for line in text.split("\n"))
        return text

    return run


def test_every_program_comes_through(run, folder, tmp_path, monkeypatch):
    run(train, Train, "--run", "a\x1b\nb", "--data", str(folder), "--epochs", "1", *SMALL)
    for program, options, arguments in PROGRAMS:
        run(program, options, *arguments)
    shutil.copytree(folder, tmp_path / "$other^$ \n")
    run(verify, Verify, "--pairs", "20", "--data", str(tmp_path / "$other^$ \n"))
    own = sorted(folder.glob("*/*0.png"))
    found = run(search, Search, "--image", *map(str, own), "--k", "1").splitlines()
    for query, nearest in zip(found[::2], found[1::2], strict=False):
        assert nearest.endswith(query)  # a path by which the image was found and opened
    monkeypatch.setattr("dim.export.onnx.write_onnx", lambda *_: 0.0)  # there are no names in it
    run(export, Export)
    (held,) = tmp_path.glob("runs/*/")
    for table in held / "neighbours.csv", *held.glob("index/*/near-duplicates.csv"):
        with table.open(encoding="utf8", newline="") as file:
            cells = {cell for row in csv.reader(file) for cell in row}
        assert all(printable(cell) == cell for cell in cells)
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    for file in *held.glob("*.md"), *held.glob("*.html"), *held.glob("**/names.tsv"):
        text = file.read_text("utf8")
        assert "\x1b" not in text and "\u202e" not in text
    assert "<script" not in (held / "report.html").read_text("utf8")
    assert all(
        line.count("\t") == 1 for line in (held / "projector/names.tsv").read_text("utf8").splitlines()
    )
