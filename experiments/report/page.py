"""A self-contained HTML page from its sections: styles and pictures lie inside, nothing is loaded."""

from pathlib import Path
from string import Template
from typing import NamedTuple

from experiments.report.elements import text

_TEMPLATE = Path(__file__).with_name("page.html")


class Section(NamedTuple):
    """A part of the page.

    Attributes:
        title: as text; the name of its anchor is made of it.
        body: HTML.
    """

    title: str
    body: str

    @property
    def anchor(self) -> str:
        return self.title.lower().replace(" ", "-")


def page(title: str, lead: str, sections: list[Section], footer: str) -> str:
    """The whole page; it reads on a phone, in the dark and on paper.

    Args:
        title, lead: text, escaped here.
        sections: in their order, with a table of contents above.
        footer: HTML.
    """
    contents = "\n".join(f'<a href="#{section.anchor}">{text(section.title)}</a>' for section in sections)
    bodies = "\n".join(
        f'<section id="{section.anchor}">\n<h2>{text(section.title)}</h2>\n{section.body}\n</section>'
        for section in sections
    )
    return Template(_TEMPLATE.read_text("utf8")).substitute(
        title=text(title), lead=text(lead), contents=contents, sections=bodies, footer=footer
    )
