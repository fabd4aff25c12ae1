import io
import os

import pytest

from dim.names import as_on_disk, as_unicode, cell, in_html, in_markdown, plotted, printable


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Äpfel und 花.jpg", "Äpfel und 花.jpg"),
        ("two\nlines\t", "two\\nlines\\t"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("not utf8 \udcff", "not utf8 \\udcff"),
        ("turned \u202egpj.exe", "turned \\u202egpj.exe"),
        ("$x$ <script>", "$x$ <script>"),
    ],
)
def test_a_name_is_one_harmless_line(name, text):
    assert printable(name) == text
    printable(name).encode("utf8")


@pytest.mark.parametrize(
    ("name", "text"),
    [("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-rf", "'-rf"), ("a=b", "a=b"), ("\t=1", "\\t=1")],
)
def test_a_spreadsheet_computes_no_name(name, text):
    assert cell(name) == text


def test_markdown_makes_no_link_picture_tag_or_column_of_a_name():
    assert in_markdown("my_run 1 < 2") == "my_run 1 < 2"
    assert in_markdown("![a](b) <b> `c` | \\\n") == r"!\[a\](b) \<b> \`c\` \| \\\\n"


def test_a_page_makes_no_tag_and_no_attribute_of_a_name():
    assert in_html("<b title='\u202e\"'>&\n") == "&lt;b title=&#x27;\\u202e&quot;&#x27;&gt;&amp;\\n"


def test_matplotlib_draws_names_as_they_are():
    from matplotlib.figure import Figure

    names = ["$x^$", "$", r"\$a$", "a $\\frac{1}{$ b", "_hidden"]
    axes = Figure().subplots()
    for name in names:
        axes.plot([1], label=plotted(name))
    axes.set_title(plotted(" ".join(names)))
    shown = axes.legend().get_texts()
    assert [text.get_text().replace(r"\$", "$").strip() for text in shown] == names
    axes.figure.savefig(io.BytesIO())


def test_a_name_that_is_no_utf8_survives_a_file_of_unicode():
    name = os.fsdecode("ü\n".encode() + b"\xe9\xff.png")
    assert as_unicode(name) == "ü\n\\udce9\\udcff.png" and as_on_disk(as_unicode(name)) == name
