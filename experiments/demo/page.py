"""The page itself: three tabs, and what happens where somebody clicks."""

import asyncio
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import gradio as gr

from dim.errors import DimError
from dim.files import replace
from dim.names import printable
from dim.search.engine import METRIC_NAMES
from dim.search.nearest import METRICS
from experiments.demo import html
from experiments.demo.answers import from_base64, searched
from experiments.demo.finder import MOST_BYTES, Finder
from experiments.demo.near import Near
from experiments.demo.opened import Opening, progress
from experiments.demo.pictures import address
from experiments.demo.places import MOST, Map

_SCRIPT = Path(__file__).with_name("page.js").read_text("utf8")
STYLE = Path(__file__).with_name("page.css").read_text("utf8")
THEME = gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
_EVERYTHING, _HISTORY = "everything", 50
_DROP = (
    '<label class="drop"><input type="file" accept="image/*"><b>Drop, paste or choose an image</b></label>'
)
_MAP = '<canvas></canvas><div class="hover" hidden><img alt=""><small></small></div><ul class="legend"></ul>'
_HOW = (
    "All pairs are compared when you ask for it. Ticked are copies of the same bytes or pixels as one to "
    "keep; tick what else you like. The list is written into the folder of the index. Nothing is deleted."
)


def page(opening: Opening) -> gr.Blocks:
    """The page of an index that is being opened; it says how far that is, and then shows the tabs."""
    private = {"api_visibility": "private", "show_progress": "minimal"}
    near, codes_map = Near(), Map()

    def finder() -> Finder:
        if opening.finder is None:
            raise DimError("the index is not open yet; wait a little")
        return opening.finder

    with gr.Blocks(title="dim", analytics_enabled=False, fill_width=True) as blocks:
        history = gr.State([], time_to_live=3600)
        title = gr.HTML(html.note("opening the index"), elem_id="title")
        with gr.Tabs(visible=False) as tabs:
            with gr.Tab("Search", id="search"):
                with gr.Row():
                    with gr.Column(scale=1, min_width=260):
                        drop = gr.HTML(_DROP, js_on_load=_script("drop", MOST_BYTES))
                        back = gr.Button("← back", size="sm", interactive=False, elem_id="back")
                        query = gr.HTML(elem_id="query")
                    with gr.Column(scale=1, min_width=260):
                        with gr.Row():
                            k = gr.Slider(1, 50, 12, step=1, label="images", elem_id="k", min_width=120)
                            only = gr.Dropdown(
                                [_EVERYTHING], label="class or folder", elem_id="only", min_width=120
                            )
                        hide = gr.Checkbox(label="hide near-duplicates of what is shown", elem_id="hide")
                        apart = gr.Number(
                            0.01, label="as near as this, by cosine", minimum=0, maximum=2, step=0.005
                        )
                results = gr.HTML(elem_id="results", js_on_load=_script("tiles"))
            with gr.Tab("Near-duplicates", id="near"):
                gr.HTML(html.note(_HOW))
                with gr.Row(equal_height=True):
                    threshold = gr.Number(
                        0.01, label="largest distance", minimum=0, step=0.005, elem_id="threshold"
                    )
                    metric = gr.Radio(
                        [(METRIC_NAMES[each], each) for each in METRICS], value="cosine", label="by"
                    )
                    compare = gr.Button("Compare all", variant="primary", elem_id="compare")
                said = gr.HTML(elem_id="said")
                groups = gr.HTML(elem_id="groups", js_on_load=_script("groups"))
            with gr.Tab("Map", id="map") as map_tab:
                colour_by = gr.Radio(["class", "folder"], value="class", label="coloured by")
                about_map = gr.HTML(elem_id="about-map")
                drawn = gr.HTML(html_template=_MAP, js_on_load=_script("map"), elem_id="drawn")

        controls = [k, only, hide, apart]
        shown = [history, query, results, back]

        def show(history, k, only, hide, apart):
            if not history:
                return history, "", "", gr.update(interactive=False)
            own, code, picture = history[-1]
            index = finder().index
            code = finder().code_of(own) if own is not None else code
            chosen = {"only": "" if only == _EVERYTHING else only, "apart": apart if hide else None}
            found = {
                METRIC_NAMES[each]: finder().nearest(code, each, int(k), own, **chosen) for each in METRICS
            }
            asked = html.query(index, own) if own is not None else html.own_query(picture)
            return history, asked, html.results(index, found), gr.update(interactive=len(history) > 1)

        @_in_words
        def again(history, *controls):
            return show(history, *controls)

        @_in_words
        def bring(event: gr.EventData, history, *controls):
            pixels = finder().seen(from_base64(str(event._data["image"])))
            return show([*history, (None, finder().code(pixels), address(pixels))][-_HISTORY:], *controls)

        @_in_words
        def go(event: gr.EventData, history, *controls):
            row = event._data["row"]
            finder().code_of(row)
            return show([*history, (row, None, "")][-_HISTORY:], *controls)

        def go_and_turn(event: gr.EventData, history, *controls):
            return *go(event, history, *controls), gr.update(selected="search")

        @_in_words
        def step_back(history, *controls):
            return show(history[:-1] or history, *controls)

        async def wait():
            while opening.finder is None:
                said = progress() or (str(opening.failure) if opening.failure else "opening the index")
                yield html.note(said), gr.update(), gr.update(), gr.update(), gr.update()
                await asyncio.sleep(0.5)
            index = finder().index
            named = html.note(
                f"{len(index):,} images of {index.folder.name}, codes of {index.folder.parents[1].name}"
            )
            by = [name for name in ("class", "folder") if finder().parts_by(name)]
            choices = gr.update(choices=[_EVERYTHING, *finder().parts], value=_EVERYTHING)
            most = gr.update(maximum=max(1, min(50, len(index))), value=min(12, len(index)))
            coloured = gr.update(choices=by, value=by[0] if by else None, visible=len(by) > 1)
            yield named, gr.update(visible=True), choices, most, coloured

        async def compared(threshold, metric):
            task = asyncio.create_task(asyncio.to_thread(near.compare, finder().index, threshold, metric))
            while not task.done():
                yield html.note(progress() or "comparing"), gr.update()
                await asyncio.sleep(0.5)
            yield await _awaited(task)

        @_in_words
        def write(event: gr.EventData):
            index = finder().index
            for row in event._data["rows"]:
                finder().code_of(row)
            rows = sorted(set(event._data["rows"]))
            file = index.folder / "chosen-duplicates.txt"
            lines = "".join(f"{printable(index.path(row))}\n" for row in rows)
            replace(file, lambda file: file.write_text(lines, "utf8"))
            return html.note(f"{len(rows):,} paths are in {file.absolute()}")

        async def mapped(by):
            yield (
                html.note(f"placing at most {MOST:,} codes by t-SNE: a minute, or more on a busy machine"),
                gr.update(),
            )
            task = asyncio.create_task(asyncio.to_thread(codes_map.drawn, finder(), by))
            yield await _awaited(task)

        gr.on([blocks.load], wait, None, [title, tabs, only, k, colour_by], concurrency_limit=None, **private)
        drop.upload(bring, [history, *controls], shown, **private)
        results.select(go, [history, *controls], shown, **private)
        drawn.select(go_and_turn, [history, *controls], [*shown, tabs], **private)
        back.click(step_back, [history, *controls], shown, **private)
        for control in controls:
            event = control.release if control is k else control.input
            event(again, [history, *controls], shown, **private)
        compare.click(compared, [threshold, metric], [said, groups], **private)
        groups.submit(write, None, said, **private)
        gr.on([map_tab.select, colour_by.input], mapped, colour_by, [about_map, drawn], **private)

        @_in_words
        def search(
            image: str = "", number: int = 0, k: int = 10, only: str = "", apart: float = -1.0
        ) -> dict:
            """The images most like one in base64, or like that of a number, by L2 and cosine."""
            return searched(finder(), image, number, k, only, apart)

        gr.api(search, api_name="search")
    return blocks.queue(default_concurrency_limit=2, max_size=64)


def _script(name: str, *values: int) -> str:
    given = "".join(f", {value}" for value in values)
    return f"{_SCRIPT}\n{name}(element, trigger, watch, props{given});"


def _in_words(function: Callable) -> Callable:
    """What a user can mend becomes a line on the page, or an error for a program."""

    @wraps(function)
    def spoken(*arguments, **named):
        try:
            return function(*arguments, **named)
        except (DimError, OSError, KeyError) as error:
            raise gr.Error(html.text(error), print_exception=False) from error

    return spoken


async def _awaited(task):
    try:
        return await task
    except (DimError, ValueError) as error:
        raise gr.Error(html.text(error), print_exception=False) from error
