"""Tables as Markdown and as CSV, and numbers as they stand in them."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean, stdev

from dim.files import replace


def markdown(titles: Sequence[str], rows: Iterable[Sequence[str]], words: Iterable[str] = ()) -> str:
    """A Markdown table with a line end after each row.

    Args:
        titles: of the columns.
        rows: their cells; names that somebody else chose went through `dim.names.in_markdown`.
        words: titles of the columns that are no numbers, besides the first; these stand to the left.
    """
    left = {titles[0], *words}
    rule = ["---" if title in left else "---:" for title in titles]
    return "".join(f"| {' | '.join(line)} |\n" for line in (titles, rule, *rows))


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """The same for a terminal: columns of equal width, the first to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    line = "  ".join(f"{{:{'>' if i else '<'}{width}}}" for i, width in enumerate(widths))
    return "\n".join(line.format(*row) for row in rows)


def write_csv(file: Path, rows: Iterable[dict], columns: Sequence[str] = ()) -> None:
    """Replaces a CSV file by rows of title → cell, a sequence unless the columns are given.

    By default these are all that a row has, in the order in which they come up.
    """
    columns = columns or list(dict.fromkeys(name for row in rows for name in row))

    def write(file: Path) -> None:
        with file.open("w", newline="", encoding="utf8") as opened:
            writer = csv.DictWriter(opened, columns)
            writer.writeheader()
            writer.writerows(rows)

    replace(file, write)


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float | None]:
    """Over seeds, the deviation by n - 1; of one value there is none."""
    return mean(values), stdev(values) if len(values) > 1 else None


def over_seeds(measured: Sequence[dict], names: Iterable[str]) -> dict:
    """Each `name` and `name_deviation`, None where a seed has no number, and how many `seeds` there are."""
    cells = {}
    for name in names:
        each = [numbers[name] for numbers in measured]
        known = each and None not in each
        cells[name], cells[f"{name}_deviation"] = mean_and_deviation(each) if known else (None, None)
    return {**cells, "seeds": len(measured)}


def number(value: float, deviation: float | None = None, digits: int = 3) -> str:
    """`0.719`, or `0.719 ± 0.008`."""
    text = f"{value:.{digits}f}"
    return text if deviation is None else f"{text} ± {deviation:.{digits}f}"


def percent(share: float, deviation: float | None = None, unit: str = " %") -> str:
    """A share of 1: `39.1 %`, or `39.1 ± 1.6 %`."""
    return number(100 * share, None if deviation is None else 100 * deviation, 1) + unit
