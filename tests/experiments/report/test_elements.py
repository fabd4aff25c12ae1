"""Pieces of HTML: what comes in as text comes out as text, and pictures are whole."""

import base64
import io
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from experiments.report import elements

ODD = "<b>\"é\" & 'ü'</b>"
ESCAPED = "&lt;b&gt;&quot;é&quot; &amp; &#x27;ü&#x27;&lt;/b&gt;"


@pytest.mark.parametrize(
    "html",
    [
        elements.paragraph(ODD),
        elements.note(ODD),
        elements.facts({ODD: ODD}),
        elements.facts({ODD: ODD}, columns=True),
        elements.legend([(ODD, (1, 2, 3))]),
        elements.sheet(np.zeros((4, 4, 3), "uint8"), ODD, ODD),
        elements.charts([(ODD, Figure())]),
    ],
    ids=["paragraph", "note", "facts", "settings", "legend", "sheet", "charts"],
)
def test_text_is_escaped_wherever_it_stands(html):
    assert "<b>" not in html
    assert html.count(ESCAPED) >= 1


def test_of_markdown_the_tables_scroll_and_html_is_text():
    html = elements.from_markdown(f"|  | {ODD} |\n| --- | ---: |\n| {ODD} | 1 |\n")
    assert html.startswith('<div class="scroll"><table>') and html.endswith("</table></div>")
    assert "<b>" not in html and html.count("&lt;b&gt;") == 2
    assert '<td style="text-align: right;">1</td>' in html


def test_a_command_can_be_copied():
    html = elements.command("python 'a  <b>' c")
    text = re.sub("<[^>]*>", "", html)
    assert text == "python &#x27;a  &lt;b&gt;&#x27; c"


def content(html):
    kind, encoded = re.search(r'src="data:([^;]*);base64,([^"]*)"', html).groups()
    return kind, base64.b64decode(encoded)


def test_a_sheet_is_a_picture_of_the_same_pixels():
    pixels = np.zeros((40, 30, 3), "uint8")
    pixels[:20] = 200, 30, 90
    kind, encoded = content(elements.sheet(pixels, ""))
    decoded = np.asarray(Image.open(io.BytesIO(encoded)))
    assert kind == "image/jpeg"
    np.testing.assert_allclose(decoded.astype(int), pixels, atol=12)


def test_a_chart_is_a_drawing_and_the_same_again():
    def drawn():
        figure = Figure()
        figure.subplots().plot([1, 2])
        return elements.charts([("a line", figure)])

    kind, encoded = content(drawn())
    assert kind == "image/svg+xml" and ElementTree.fromstring(encoded).tag.endswith("svg")
    assert drawn() == drawn()
