"""Pieces of the page as HTML. All that somebody else named goes through `dim.names.in_html`."""

from collections.abc import Sequence

from dim.names import in_html as text
from dim.search.groups import Group
from dim.search.index import Index
from experiments.demo.finder import Found

_OF_A_GROUP = 48  # images that are shown
PICTURE = "picture"  # the folder, in addresses, of the images by number


def results(index: Index, found: dict[str, Sequence[Found]]) -> str:
    """Columns of tiles, one a metric; a click on a tile searches from it."""
    columns = []
    for metric, images in found.items():
        tiles = "".join(_tile(index, each.row, f"{each.distance:.4g}") for each in images)
        nothing = "" if tiles else '<p class="note">Nothing else is left.</p>'
        columns.append(f"<section><h3>{text(metric)}</h3>{nothing}<div class=tiles>{tiles}</div></section>")
    return f'<div class="columns">{"".join(columns)}</div>'


def query(index: Index, row: int) -> str:
    """The image of the index that is searched from."""
    return f'<figure class="query">{_picture(row)}<figcaption>{_about(index, row)}</figcaption></figure>'


def own_query(picture: str) -> str:
    """An image that somebody brought, as a `data:` address of ours."""
    return f'<figure class="query"><img src="{picture}" alt=""><figcaption>your image</figcaption></figure>'


def groups(index: Index, shown: Sequence[Group], facts: dict) -> str:
    """Groups side by side, each image with a box, ticked where another has the same bytes or pixels."""
    sections, ticked = [], set()
    for number, group in enumerate(shown, 1):
        tiles = []
        for place, row in enumerate(group.rows[:_OF_A_GROUP]):
            if place and group.kind != "near":
                ticked.add(row)
            known = facts[row]
            size = f"{known.width:,}×{known.height:,}, {known.bytes:,} bytes" if known.bytes else ""
            box = f'<input type="checkbox" data-row="{row}"{" checked" if row in ticked else ""}>'
            keep = "" if place else "<b>keep</b> "
            line = f"<span>{box} {keep}{size}</span>"
            tiles.append(f"<label class=tile>{_picture(row)}{line}{_about(index, row)}</label>")
        about = f"{number}. {len(group.rows)} images, {text(group.kind)}, at most {group.distance:.3g} apart"
        more = len(group.rows) - len(tiles)
        left_out = note(f"and {more:,} more, see make near-duplicates") if more else ""
        sections.append(
            f"<section><h3>{about}</h3><div class=tiles>{''.join(tiles)}</div>{left_out}</section>"
        )
    button = '<button class="write">Write a list of what is ticked</button>' if sections else ""
    return button + "".join(sections)


def note(words: str) -> str:
    return f'<p class="note">{text(words)}</p>'


def _tile(index: Index, row: int, distance: str) -> str:
    about = f"<span>{distance}</span>{_about(index, row)}"
    return f'<button class="tile" data-row="{row}">{_picture(row)}{about}</button>'


def _picture(row: int) -> str:
    return f'<img src="{PICTURE}/{row}" width="112" height="112" loading="lazy" alt="">'


def _about(index: Index, row: int) -> str:
    label, name = index.labels[row].as_py(), text(index.name(row))
    return f'{f"<b>{text(label)}</b>" if label else ""}<small title="{name}">{name}</small>'
