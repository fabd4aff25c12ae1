"""The report as a user makes it and as a browser shows it, on runs that are as good as trained."""

import base64
import io
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from imageio.v3 import imwrite
from PIL import Image

from dim.configuration import Configuration
from dim.encoders import FEATURE_MAP
from dim.training.run import Run
from experiments.evaluate import __main__ as evaluate
from experiments.report.__main__ import Options, report

SECTIONS = ["Run", "Training", "Evaluation", "Neighbours", "Map of the codes", "Best and worst queries"]
SMALL = {"image_size": 16, "code_size": 8, "critic_units": 8, "precision": "float32"}
ODD = "<i> & 'ü'"
_NEVER_CLOSED = {"meta", "img", "br"}


class Page(HTMLParser):
    """What is on a page: the tags must close in the order in which they open."""

    def __init__(self, text):
        super().__init__()
        self.open, self.images, self.links, self.headings, self.tags, self.text = [], [], [], [], set(), ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        if tag == "img":
            self.images.append(attributes)
        self.links += [attributes[name] for name in ("src", "href", "srcset") if name in attributes]
        if tag not in _NEVER_CLOSED:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "h2" in self.open:
            self.headings.append(data)
        if "style" not in self.open:
            self.text += data


@pytest.fixture
def made(initial_checkpoint, photographs, tmp_path):
    """`made(name, data)` makes a run with a log whose checkpoint holds initial weights, and its report."""

    def made(name=ODD, data=photographs, evaluated=False, **options):
        run = Run(f"{tmp_path}/runs/{name}")
        configuration, checkpoint = initial_checkpoint
        run.claim(replace(configuration, data=str(data), epochs=2))
        shutil.copy(checkpoint, run.checkpoint)
        for epoch in 1, 2:
            terms = {"local": 3.0, "local_bound": 1.0, "loss": 3 / epoch}
            run.log_epoch(epoch, {**terms, "knn_cosine": 0.5, "seconds": 45.0})
        if evaluated:
            evaluate.evaluate(evaluate.Options(run=str(run.path), quick=True))
        report(Options(run=str(run.path), **options))
        return run, (run.path / "report.html").read_text("utf8")

    return made


def test_a_report_holds_everything_and_loads_nothing(made):
    run, html = made(evaluated=True)
    run.write_json(run.machine, {"machine": "abacus", "date": "2026-01-01"})
    results = {"k": 20, "accuracy": {"code": {"l2": 0.5, "cosine": 0.625}}}
    run.write_json(run.results, results)
    report(Options(run=str(run.path)))
    html = (run.path / "report.html").read_text("utf8")
    page = Page(html)
    assert page.headings == SECTIONS
    assert all(f'<section id="{link[1:]}">' in html for link in page.links if link.startswith("#"))
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert not re.search(r"url\(|@import|<script|<link|<iframe", html)
    assert "i" not in page.tags and ODD in page.text
    shapes = run.load().encoder.compute_output_shape((None, 16, 16, 3))
    _, H, W, C = shapes[FEATURE_MAP]
    for fact in (
        "photographs: 90 train + 10 val, 2 classes, 16×16",
        f"16×16 pixels → feature map {H}×{W}×{C} → code of 8",
        "2 of 2, batches of 100",
        "abacus; 1.5 minutes, 2026-01-01",
        "62.5%",
        "python -m experiments.train --run",
        "python -m experiments.evaluate --run",
        "python -m experiments.report --run",
        "untrained encoder: feature map",
        "10 validation images: PCA",
        "10 validation images as queries",
    ):
        assert fact in page.text, fact
    assert len(page.images) == 3 + 2 + 2 + 1 + 2
    for image in page.images:
        assert image["alt"]
        kind, content = re.fullmatch(r"data:image/([a-z+]*);base64,(.*)", image["src"]).groups()
        content = base64.b64decode(content, validate=True)
        if kind == "svg+xml":
            ElementTree.fromstring(content)
        else:
            assert min(Image.open(io.BytesIO(content)).size) > 100


def test_without_labels_evaluation_or_enough_images_the_rest_is_there(made, tmp_path):
    rng = np.random.default_rng(0)
    for part in "train", "val":
        (tmp_path / "flat" / part).mkdir(parents=True)
    for i in range(30):
        file = tmp_path / f"flat/{'train' if i < 27 else 'val'}/{i} <&ü.png"
        imwrite(file, rng.integers(0, 256, (16, 16, 3), "uint8"))
    _, html = made("first", data=tmp_path / "flat")
    page = Page(html)
    assert page.headings == SECTIONS and len(page.images) == 3 + 2
    assert "has not been evaluated" in page.text
    assert "no labels, so no frames" in page.text and "among 27 training images" in page.text
    assert "a map needs at least 5" in page.text and "without labels there is no saying" in page.text
    assert "not recorded" in page.text


def test_other_images_than_those_of_the_training(made, make_tiny_folder, tmp_path):
    tiny = make_tiny_folder(tmp_path / "tiny")
    run, html = made("first", data=make_tiny_folder(tmp_path / "other", train=5))
    assert "shown below" not in Page(html).text
    run.data.write_text(json.dumps({"train": 15, "val": 6, "classes": 3}))
    report(Options(run=str(run.path), data=str(tiny)))
    text = Page((run.path / "report.html").read_text("utf8")).text
    assert f"15 train + 6 val, 3 classes ({tmp_path / 'other'})" in text
    assert f"tiny: 30 train + 6 val, 3 classes, 16×16 ({tiny})" in text
    assert f"--data {tiny}" in text


@pytest.fixture
def browser(tmp_path):
    """`browser(html, width)` opens a page in a window so wide and returns what its script measured."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no chromium, chromium-browser or google-chrome to open the page in")
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
    quiet += ["--disable-background-networking", "--disable-component-update"]
    quiet += [f"--user-data-dir={tmp_path}/chromium", "--window-size=1400,1000"]

    def browser(html, width, script):
        """In a frame, since windows have a least width; the page itself allows no script."""
        html = html.replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'")
        (tmp_path / "framed.html").write_text(
            html.replace(
                "</body>", f"<script>onload = () => parent.postMessage({script}, '*')</script></body>"
            )
        )
        (tmp_path / "frame.html").write_text(
            "<script>onmessage = event => document.title = JSON.stringify(event.data)</script>"
            f'<iframe src="framed.html" style="border: 0; width: {width}px; height: 800px"></iframe>'
        )
        page = (tmp_path / "frame.html").as_uri()
        shown = subprocess.run(
            [chromium, *quiet, "--virtual-time-budget=20000", "--dump-dom", page],
            capture_output=True,
            text=True,
            timeout=120,
        )
        found = re.search("<title>(.*)</title>", shown.stdout)
        assert found, shown.stderr[-2000:]
        return json.loads(found.group(1))

    return browser


def test_a_browser_shows_all_pictures_and_scrolls_no_page_sideways(browser, made):
    _, html = made(evaluated=True)
    script = """{
        images: [...document.images].map(image => image.complete && image.naturalWidth),
        widest: document.documentElement.scrollWidth,
        window: innerWidth,
        boxes: [...document.querySelectorAll('.scroll')].map(box => box.scrollWidth - box.clientWidth),
        columns: new Set([...document.querySelectorAll('.side-by-side .sheet')].map(
            sheet => sheet.getBoundingClientRect().left)).size,
        failed: performance.getEntriesByType('resource').filter(
            entry => !entry.name.startsWith('data:')).map(entry => entry.name),
    }"""
    for width in 400, 1280:
        shown = browser(html, width, script)
        assert len(shown["images"]) == 10 and all(shown["images"])
        assert shown["window"] == width and shown["widest"] <= width
        assert (max(shown["boxes"]) > 0) == (width == 400)  # wide tables scroll by themselves
        assert shown["columns"] == (1 if width == 400 else 2)
        assert shown["failed"] == []


def test_a_browser_would_notice_a_page_too_wide_and_a_broken_picture(browser):
    broken = (
        '<body style="margin: 0"><div style="width: 900px">.</div><img src="data:image/png;base64,AA"></body>'
    )
    script = "[document.documentElement.scrollWidth, document.images[0].naturalWidth]"
    assert browser(broken, 400, script) == [900, 0]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--run", "second"], "runs/second is not a run"),
        (["--run", "runs/begun"], "no checkpoint yet"),
        (["--data", "nowhere"], "no data at"),
        (["--dat", "x"], "did you mean --data?"),
    ],
)
def test_what_cannot_be_reported_is_refused(refused, initial_run, tmp_path, arguments, complaint):
    Run(f"{tmp_path}/runs/begun").claim(Configuration(**SMALL, data="photo-patches"))
    assert complaint in refused("report", *arguments)
    assert not list(tmp_path.glob("runs/*/report.html"))


def test_from_the_command_line(command, initial_run):
    status, out, err = command("report")
    assert status == 0 and "report.html" in out, err
    assert Page((initial_run.path / "report.html").read_text("utf8")).headings == SECTIONS
