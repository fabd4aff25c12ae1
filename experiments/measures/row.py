"""A line of the table that `measures` writes."""

from typing import NamedTuple

from experiments import tables


class Row(NamedTuple):
    """A quantity, what its source says, what comes out here, and what to make of it."""

    quantity: str
    source: str
    """Empty where the source gives no number."""
    ours: str
    remark: str = ""


def markdown(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ([cell.replace("|", "\\|") for cell in row._replace(source=row.source or "—")] for row in rows)
    return tables.markdown(Row._fields, lines, words=["remark"])


def spread(values, digits: int) -> str:
    """`mean ± deviation` of an array."""
    return tables.number(values.mean(), values.std(), digits)
