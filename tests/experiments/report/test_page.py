"""The page around the sections."""

import re

from experiments.report.page import page


def test_sections_stand_in_order_under_a_table_of_contents():
    html = page("<one>", "$lead & co", {"A b": "<p>$1</p>", "C": "two"}, "<code>end</code>")
    assert "<title>&lt;one&gt;</title>" in html and "$lead &amp; co" in html and "<p>$1</p>" in html
    contents, _, rest = html.partition("</nav>")
    assert contents.index('href="#a-b"') < contents.index('href="#c"')
    assert rest.index('id="a-b"') < rest.index("$1") < rest.index('id="c"') < rest.index("<code>end</code>")


def test_the_page_is_styled_for_phone_dark_and_paper():
    html = page("", "", {}, "")
    assert 'name="viewport"' in html
    for media in "screen and (prefers-color-scheme: dark)", "print", "(max-width: 34rem)":
        assert f"@media {media}" in html


def test_the_page_tells_the_browser_to_load_and_run_nothing():
    html = page("", "", {}, "")
    (policy,) = re.findall('http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    allowed = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert allowed.pop("default-src") == "'none'" and allowed.pop("img-src") == "data:"
    assert allowed.pop("style-src") == "'unsafe-inline'" and set(allowed.values()) == {"'none'"}
    assert html.index("Content-Security-Policy") < html.index("<title>")


def test_a_title_is_one_harmless_line():
    assert "<h1>two\\nlines \\x1b&lt;b&gt;</h1>" in page("two\nlines \x1b<b>", "", {}, "")
