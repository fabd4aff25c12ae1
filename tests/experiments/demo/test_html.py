"""Names are text and nothing else, wherever they stand on the page."""

from html.parser import HTMLParser

from dim.search.groups import Facts, Group
from experiments.demo import html
from experiments.demo.finder import Found

ALLOWED = {"div", "section", "h3", "p", "button", "img", "b", "span", "small", "label", "input", "figure"}
ALLOWED |= {"figcaption"}
ATTRIBUTES = {"class", "src", "alt", "width", "height", "loading", "title", "data-row", "type", "checked"}


class Reader(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        assert tag in ALLOWED and named.keys() <= ATTRIBUTES, (tag, attributes)
        assert named.get("src", "picture/").startswith("picture/")

    def handle_data(self, data):
        self.text += data


def test_hostile_names_make_no_tag_and_no_attribute(index):
    rows = range(len(index))
    page = html.results(index, {"<L2>": [Found(row, 0.5) for row in rows], "cosine": []})
    page += "".join(html.query(index, row) for row in rows)
    page += html.groups(index, [Group("near", list(rows), 0.1)], {row: Facts() for row in rows})
    text = Reader(page).text
    for piece in (
        "<script>alert(1)<",
        "onerror=alert(1)>",
        "two\\nlines",
        "写真 花",
        "turned \\u202egpj",
        "<L2>",
    ):
        assert piece in text
    assert "Nothing else is left." in text


def test_copies_of_the_same_are_ticked_and_the_one_to_keep_is_not(index):
    facts = {row: Facts(16, 16, 100, "a", "b") for row in range(5)}
    page = html.groups(index, [Group("near", [0, 1, 2], 0.1), Group("same bytes", [3, 4], 0.0)], facts)
    boxes = [line.split(">")[0] for line in page.split("<input ")[1:]]
    assert [" checked" in box for box in boxes] == [False, False, False, False, True]
    assert page.count("<b>keep</b>") == 2 and html.groups(index, [], {}) == ""
