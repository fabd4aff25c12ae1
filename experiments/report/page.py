"""A self-contained HTML page from its sections: styles and pictures lie inside, nothing is loaded."""

from collections.abc import Mapping
from pathlib import Path
from string import Template

from experiments.report.elements import text

_TEMPLATE = Path(__file__).with_name("page.html")


def page(title: str, lead: str, sections: Mapping[str, str], footer: str) -> str:
    """The whole page; it reads on a phone, in the dark and on paper.

    Title, lead and the titles of the sections are text, which is escaped here; bodies and footer are HTML. A
    table of contents stands above the sections.
    """
    anchors = {name: name.lower().replace(" ", "-") for name in sections}
    contents = "\n".join(f'<a href="#{anchor}">{text(name)}</a>' for name, anchor in anchors.items())
    bodies = "\n".join(
        f'<section id="{anchors[name]}">\n<h2>{text(name)}</h2>\n{body}\n</section>'
        for name, body in sections.items()
    )
    return Template(_TEMPLATE.read_text("utf8")).substitute(
        title=text(title), lead=text(lead), contents=contents, sections=bodies, footer=footer
    )
