"""What the README and the docs say is there, is there, and what they print in Python runs."""

import re
from functools import reduce
from pathlib import Path

import pytest

import dim

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SMALL = "dim.Configuration(epochs=1, image_size=16, code_size=8, critic_units=8, batch_size=20)"


def python_of(page):
    return re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def test_the_readme_is_a_page():
    assert 150 <= len(README.splitlines()) <= 200


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page):
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text("utf8")):
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf8"), re.MULTILINE)
            assert heading in [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings], link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_names_that_are_mentioned_exist(page):
    text = page.read_text("utf8")
    for file in re.findall(r"`((?:dim|experiments|examples|tests|docs)/[\w/.]+)`", text):
        assert (ROOT / file).exists(), file
    for name in re.findall(r"\bdim\.((?:measures\.)?[A-Za-z_]\w*)\(", text):
        assert callable(reduce(getattr, name.split("."), dim)), name


def test_every_name_of_the_table_of_extensions_is_in_its_file():
    for file, name in re.findall(r"`(dim/[\w/]+\.py)`, named in `([A-Z]+)`", README):
        assert re.search(rf"^{name}\b", (ROOT / file).read_text("utf8"), re.MULTILINE), name


def test_python_from_the_readme_runs(monkeypatch, capsys):
    monkeypatch.setattr("dim.data.photo_patches._TRAIN_PER_PHOTOGRAPH", 6)
    monkeypatch.setattr("dim.data.photo_patches._VAL_PER_PHOTOGRAPH", 2)
    first, second = python_of(README)
    assert len(first.splitlines()) <= 10
    known = {}
    exec(first.replace("dim.Configuration(epochs=12)", SMALL), known)
    assert re.search(
        r"^\d+% of the neighbours are of the same photograph$", capsys.readouterr().out, re.MULTILINE
    )
    exec(second, known)
    dataset = known["dataset"]
    known["classifier"].fit(dataset.train.images, dataset.train.labels)
    assert known["classifier"].predict(dataset.val.images).shape == (len(dataset.val),)
