"""The rooms of the house: imports point down only, inside of functions as well."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = (
    {"errors", "names", "form", "files", "memory", "choices", "backend", "device", "measures"},
    {"configuration", "presets", "layers"},
    {"losses", "data", "encoders"},
    {"search", "methods", "pictures"},
    {"evaluation"},
    {"training"},
    {"export"},
)
LEVEL = {room: level for level, floor in enumerate(FLOORS) for room in floor}
FILES = [file for file in sorted((ROOT / "dim").rglob("*.py")) if file != ROOT / "dim/__init__.py"]


def room_of(file: Path) -> str:
    return file.relative_to(ROOT / "dim").with_suffix("").parts[0]


def imported_by(file: Path):
    """Modules of ours that a file imports anywhere: (line, dotted name)."""
    for node in ast.walk(ast.parse(file.read_text("utf8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"dim.{alias.name}" for alias in node.names] if node.module == "dim" else [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from ((node.lineno, name) for name in names if name.split(".")[0] in ("dim", "experiments"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_point_down(file):
    for line, name in imported_by(file):
        top, _, rest = name.partition(".")
        assert top == "dim", f"line {line}: dim knows no program"
        room = rest.split(".")[0]
        assert room in LEVEL, f"line {line}: {room} has no floor"
        assert room == room_of(file) or LEVEL[room] <= LEVEL[room_of(file)], f"line {line} imports {name}"


def test_rooms_of_one_floor_do_not_import_each_other_in_a_circle():
    arrows = {room: set() for room in LEVEL}
    for file in FILES:
        arrows[room_of(file)] |= {name.split(".")[1] for _, name in imported_by(file)} - {room_of(file)}
    while free := {room for room, others in arrows.items() if not others & arrows.keys()}:
        arrows = {room: others for room, others in arrows.items() if room not in free}
    assert not arrows


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("measures", {"dim", "keras"}),
        ("losses", {"dim.encoders", "dim.methods"}),
        ("search", {"keras", "dim.encoders"}),
    ],
)
def test_what_a_room_must_not_know(room, forbidden):
    for file in (ROOT / "dim" / room).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            inside = f"dim.{room}"
            for name in names:
                known = [
                    f
                    for f in forbidden
                    if (name == f or name.startswith(f + ".")) and not name.startswith(inside)
                ]
                assert not known, f"{file.name} imports {name}"


def test_no_file_is_longer_than_300_lines():
    files = [*FILES, *(ROOT / "experiments").rglob("*.py")]
    assert not [str(file) for file in files if len(file.read_text("utf8").splitlines()) > 300]
