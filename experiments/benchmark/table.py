"""The rows of the benchmark and how they look."""

from dataclasses import dataclass
from statistics import median

from experiments.benchmark.compare import Spread, ratio


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. What is not there was not measured, and `note` says why.

    Attributes:
        what: what was measured.
        unit: of `ours`, `rival` and `limit`: something a second, or `s` or `ms`, of which fewer are better.
        ours, rival, limit: medians.
        rival_name: who the rival is, or why there is none.
        ratio: how many times better than the rival; above 1 is better whatever the unit.
        note: in a few words.
    """

    what: str
    unit: str = ""
    ours: float | None = None
    rival: float | None = None
    rival_name: str = ""
    ratio: Spread | None = None
    limit: float | None = None
    note: str = ""

    @property
    def share(self) -> float | None:
        """Of the limit."""
        if self.ours is None or self.limit is None:
            return None
        return self.limit / self.ours if self.unit in ("s", "ms") else self.ours / self.limit

    @classmethod
    def of_rates(cls, what: str, unit: str, rates: dict[str, list[float]], rival_name: str = "", **others):
        """From `alternate`'s rates of `ours` and, where there is one, `rival`."""
        ours, rival = rates["ours"], rates.get("rival")
        return cls(
            what=what,
            unit=unit,
            ours=median(ours),
            rival=rival and median(rival),
            rival_name=rival_name,
            ratio=rival and ratio(ours, rival),
            **others,
        )


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What one more costs when there are many: one line of the second table."""

    what: str
    size: int
    unit: str = ""
    cost: float | None = None
    relative: float | None = None
    note: str = ""


def table(rows: list[Row]) -> str:
    head = "what", "ours", "rival", "ratio", "limit", "share of it", "notes"
    return _markdown(head, [_cells(row) for row in rows])


def growth_table(rows: list[Growth]) -> str:
    head = "growth", "size", "cost", "against the first", "notes"
    cells = [
        (
            row.what,
            f"{row.size:,}" if row.size else "",
            f"{number(row.cost)} {row.unit}" if row.cost is not None else "",
            f"{row.relative:.2f}×" if row.relative is not None else "",
            row.note,
        )
        for row in rows
    ]
    return _markdown(head, cells)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"{row.what}, {row.unit}" if row.unit else row.what,
        number(row.ours),
        " ".join(filter(None, [number(row.rival), f"({row.rival_name})" if row.rival_name else ""])),
        f"{row.ratio.median:.2f}× ({row.ratio.low:.2f}–{row.ratio.high:.2f})" if row.ratio else "",
        number(row.limit),
        f"{row.share:.0%}" if row.share is not None else "",
        row.note,
    )


def _markdown(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)


def number(value: float | None) -> str:
    """Three significant digits, and all those before the point."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
