"""The page in a browser: everything that somebody can click, and not one request to elsewhere."""

import base64
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

if not find_spec("playwright"):
    pytest.skip("Playwright is not installed here; make test-browser installs it", allow_module_level=True)
if not CHROMIUM:
    pytest.skip(
        "there is no Chromium; install it, such as by apt-get install chromium", allow_module_level=True
    )

DROP = """([name, content]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, {type: "image/png"}));
    const paste = name === "pasted";
    const event = paste ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true})
        : new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
    (paste ? document.body : document.querySelector(".drop")).dispatchEvent(event);
}"""


@pytest.fixture(scope="module")
def page(served):
    with served() as page:
        yield page


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=[1280, 400])
def tab(request, chromium, page):
    """An open page, of which everything that it asks for, says or warns of is kept in `tab.noted`."""
    tab = chromium.new_page(viewport={"width": request.param, "height": 900})
    tab.set_default_timeout(90_000)
    noted = []
    tab.on("request", lambda asked: noted.append(asked.url))
    tab.on("dialog", lambda dialog: (noted.append(f"dialog {dialog.message}"), dialog.dismiss()))
    tab.on("pageerror", lambda error: noted.append(f"error {error}"))
    tab.on("console", lambda said: noted.append(f"{said.type} {said.text}") if said.type == "error" else None)
    tab.goto(page.url)
    tab.wait_for_selector(".drop")
    yield tab
    wide = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    tab.close()
    assert wide <= 0  # nothing to scroll sideways
    elsewhere = [url for url in noted if not url.startswith((page.url, "data:", f"blob:{page.url}"))]
    assert not elsewhere and noted


def results(tab, column=1):
    """(row, distance, text) of each tile of the L2 column or the cosine column."""
    tiles = f"#results section:nth-of-type({column}) .tile"
    read = "tiles => tiles.map(tile => [Number(tile.dataset.row), tile.innerText])"
    found = tab.eval_on_selector_all(tiles, read)
    return [(row, float(text.split()[0]), text) for row, text in found]


def after(tab, act):
    """Does something, and waits until the results are others."""
    columns = "document.querySelector('#results .columns')?.innerHTML"
    before = tab.evaluate(columns)
    act()
    tab.wait_for_function(f"before => ({columns} ?? null) !== before", arg=before)


def bring(tab, file, name="dropped"):
    content = base64.b64encode(Path(file).read_bytes()).decode()
    after(tab, lambda: tab.evaluate(DROP, [name, content]))
    tab.get_by_text("your image").wait_for()


def test_search_goes_on_from_result_to_result_and_back(tab, page):
    bring(tab, page.folder / "stripes/stripes 15.png")
    for column in 1, 2:
        found = results(tab, column)
        assert len(found) == 12 and found[0][1] < 1e-3 and found[1][1] < 1e-3
        assert [distance for _, distance, _ in found] == sorted(distance for _, distance, _ in found)
        assert {text.split("\n")[-1] for _, _, text in found[:2]} == {
            "stripes/stripes 15.png",
            "stripes/zz copy.png",
        }
    first = results(tab)
    for _ in range(2):
        row = results(tab)[3][0]
        after(tab, lambda: tab.locator("#results .tile").nth(3).click())
        assert row not in [found for found, _, _ in results(tab)]
        assert tab.locator("#query img").get_attribute("src") == f"picture/{row}"
    for _ in range(2):
        after(tab, lambda: tab.locator("#back").click())
    assert results(tab) == first and tab.locator("#back").is_disabled()
    loaded = "[...document.querySelectorAll('img')].every(image => !image.complete || image.naturalWidth)"
    tab.wait_for_function(loaded)


def test_a_filter_and_hidden_duplicates_change_what_is_shown(tab, page):
    bring(tab, page.folder / "stripes/stripes 15.png", "pasted")
    tab.locator("#only input").click()
    after(tab, lambda: tab.get_by_role("option", name="blotches/inner/").click())
    assert all("blotches/inner/" in text for _, _, text in results(tab, 2)) and len(results(tab)) == 10
    tab.locator("#only input").click()
    after(tab, lambda: tab.get_by_role("option", name="everything").click())
    assert results(tab)[1][1] < 1e-3
    after(tab, lambda: tab.locator("#hide input").click())
    assert all(distance > 1e-3 for _, distance, _ in results(tab))


def test_names_are_text_and_nothing_runs(tab, page):
    bring(tab, page.folder / "stripes/stripes 15.png")
    tab.locator("#k input[type=number]").fill("41")
    after(tab, lambda: (tab.locator("#k input[type=number]").press("Enter"), tab.mouse.click(1, 1)))
    shown = tab.locator("#results").inner_text()
    for piece in (
        "<script>alert(1)<",
        "<img src=x onerror=alert(1)>",
        "two\\nlines",
        "写真 花",
        "שלום עולם",
        "$x$ {{value}} ${alert(1)} `",
        "turned \\u202egpj",
    ):
        assert piece in shown


def test_what_is_no_image_is_said(tab, tmp_path):
    (tmp_path / "text.png").write_text("no image")
    content = base64.b64encode((tmp_path / "text.png").read_bytes()).decode()
    tab.evaluate(DROP, ["text.png", content])
    tab.get_by_text("cannot be read as an image").first.wait_for()
    large = tmp_path / "large.png"
    large.write_bytes(bytes(2**24 + 1))
    tab.set_input_files(".drop input", large)
    tab.get_by_text("may have 16 MB").wait_for()


def test_near_duplicates_are_ticked_and_written_as_a_list(tab, page):
    written = page.index / "chosen-duplicates.txt"
    written.unlink(missing_ok=True)
    tab.get_by_role("tab", name="Near-duplicates").click()
    tab.locator("#threshold input").fill("0.0000001")
    tab.locator("#threshold input").press("Tab")
    tab.locator("#compare").click()
    tab.get_by_text("2 images, same bytes").wait_for()
    ticked = tab.locator("#groups input:checked")
    assert ticked.count() == 1
    tab.locator(".write").click()
    tab.get_by_text(f"1 paths are in {written}").wait_for()
    (line,) = written.read_text().splitlines()
    assert line in (str(page.folder / "stripes/zz copy.png"), str(page.folder / "stripes/stripes 15.png"))
    assert Path(line).exists()


def test_a_click_on_the_map_searches_from_there(tab, page):
    tab.get_by_role("tab", name="Map").click()
    tab.get_by_text("t-SNE of the codes of all 41 images").wait_for()
    assert sorted(tab.locator("#drawn .legend li").all_inner_texts()) == ["blotches", "stripes"]
    canvas = tab.locator("#drawn canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    dot = canvas.evaluate(FIRST_DOT)
    tab.mouse.move(box["x"] + dot[0], box["y"] + dot[1])
    hover = tab.locator("#drawn .hover")
    hover.wait_for()
    assert re.search(r"\.png$", hover.inner_text().strip())
    picture = hover.locator("img").get_attribute("src")
    after(tab, lambda: tab.mouse.click(box["x"] + dot[0], box["y"] + dot[1]))
    tab.locator("#query img").wait_for()
    assert tab.locator("#query img").get_attribute("src") == picture
    assert len(results(tab)) == 12


FIRST_DOT = """canvas => {
    const {width, height} = canvas, pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
    for (let i = 0; i < width * height; i++)
        if (pixels[4 * i + 3] === 255)
            return [i % width, Math.floor(i / width)].map(place => place / width * canvas.clientWidth);
}"""
