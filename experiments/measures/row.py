"""A line of the table that `measures` writes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A quantity, what its source says, what comes out here, and what to make of it."""

    quantity: str
    source: str
    """Empty where the source gives no number."""
    ours: str
    remark: str = ""


def markdown(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [(row.quantity, row.source or "—", row.ours, row.remark) for row in rows]
    titles, rule = ("quantity", "source", "ours", "remark"), ("---", "---:", "---:", "---")
    cells = ([cell.replace("|", "\\|") for cell in line] for line in (titles, rule, *lines))
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)
