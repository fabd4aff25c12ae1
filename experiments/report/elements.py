"""Pieces of HTML. Text that comes in is escaped, so that any name of a file or run will do."""

import base64
import io
from collections.abc import Iterable, Mapping
from html import escape

import numpy as np
from PIL import Image

from dim.names import in_html as text
from dim.pictures.figures import save

_QUALITY = 88
_LOADING = ("link", "image_link", "reference", "image_reference", "short_reference", "short_image_ref")
_LOADING += ("autolink", "automail", "html")


def paragraph(words: str) -> str:
    return f"<p>{text(words)}</p>"


def note(words: str) -> str:
    """A word on what is left out, or on how to read what stands above."""
    return f'<p class="note">{text(words)}</p>'


def command(line: str) -> str:
    """What to type into a shell; words are broken only where they are longer than a line."""
    words = " ".join(f"<span>{text(word)}</span>" for word in line.split(" "))
    return f"<pre><code>{words}</code></pre>"


def facts(pairs: Mapping[str, object], columns: bool = False) -> str:
    """Names and what they stand for, in columns where they are many."""
    rows = (f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in pairs.items())
    if columns:
        return f'<dl class="settings">{"".join(f"<div>{row}</div>" for row in rows)}</dl>'
    return f"<dl>{''.join(rows)}</dl>"


def from_markdown(source: str) -> str:
    """Without what would lead or load from elsewhere, and without HTML; tables that are too wide scroll."""
    from markdown import Markdown

    reader = Markdown(extensions=["tables"])
    for pattern in _LOADING:
        reader.inlinePatterns.deregister(pattern)
    reader.preprocessors.deregister("html_block")
    reader.parser.blockprocessors.deregister("reference")
    reader.ESCAPED_CHARS.append("&")  # which begins what stands for an escaped <
    html = reader.convert(escape(source, quote=False))
    return html.replace("<table>", '<div class="scroll"><table>').replace("</table>", "</table></div>")


def side_by_side(figures: Iterable[str]) -> str:
    """Figures in two columns where there is room."""
    return f'<div class="side-by-side">\n{"".join(figures)}</div>'


def charts(figures: Iterable[tuple[str, object]]) -> str:
    """Matplotlib figures with a description each, for those who cannot see them; in columns if possible."""
    return f'<div class="charts">\n{"".join(_chart(figure, alt) for alt, figure in figures)}</div>'


def sheet(pixels: np.ndarray, alt: str, caption: str = "") -> str:
    """A picture [height, width, 3] uint8 made of photographs; `alt` is for those who cannot see it."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=_QUALITY, subsampling=0)
    below = f"<figcaption>{text(caption)}</figcaption>" if caption else ""
    return f'<figure class="sheet">{_image(file, "image/jpeg", alt)}{below}</figure>\n'


def legend(colours: Iterable[tuple[str, tuple[int, int, int]]]) -> str:
    """Names, each beside a patch of its colour in red, green and blue from 0 to 255."""
    patches = ((f'<span style="background: rgb{colour}"></span>', text(name)) for name, colour in colours)
    return f'<ul class="legend">{"".join(f"<li>{patch}{name}</li>" for patch, name in patches)}</ul>'


def _chart(figure, alt: str) -> str:
    import matplotlib

    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "dim"}):  # or each drawing of the same were another file
        save(figure, file, format="svg", transparent=True, metadata={"Date": None})
    return f'<figure class="chart">{_image(file, "image/svg+xml", alt)}</figure>\n'


def _image(file: io.BytesIO, kind: str, alt: str) -> str:
    content = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img src="data:{kind};base64,{content}" alt="{text(alt)}">'
