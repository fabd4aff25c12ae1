"""The page around the sections."""

from experiments.reports.page import Section, page


def test_sections_stand_in_order_under_a_table_of_contents():
    html = page("<one>", "$lead & co", [Section("A b", "<p>$1</p>"), Section("C", "two")], "<code>end</code>")
    assert "<title>&lt;one&gt;</title>" in html and "$lead &amp; co" in html and "<p>$1</p>" in html
    contents, _, rest = html.partition("</nav>")
    assert contents.index('href="#a-b"') < contents.index('href="#c"')
    assert rest.index('id="a-b"') < rest.index("$1") < rest.index('id="c"') < rest.index("<code>end</code>")


def test_the_page_is_styled_for_phone_dark_and_paper():
    html = page("", "", [], "")
    assert 'name="viewport"' in html
    for media in "screen and (prefers-color-scheme: dark)", "print", "(max-width: 34rem)":
        assert f"@media {media}" in html
