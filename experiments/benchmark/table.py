"""Measuring in turns, the rows that come of it, how they look, and on what they were measured."""

import os
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import distributions
from pathlib import Path
from statistics import median

from experiments import tables

_FLAGS = "avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "asimd", "sve", "bf16"
_PACKAGES = "keras", "tensorflow", "jax", "numpy", "faiss-cpu", "scikit-learn", "pillow"


def alternate(
    runs: dict[str, tuple[Callable[[int], float], float]], rounds: int, seconds: float
) -> dict[str, list[float]]:
    """Runs every side in turn, round after round: what disturbs one side disturbs the other.

    Args:
        runs: name → (function from a number of times to the seconds that took, amount done each time).
        rounds: how often each side gets its turn.
        seconds: about how long a turn is.

    Returns:
        Amounts a second, a list over the rounds for each name.
    """
    times = {}
    for name, (run, _) in runs.items():
        run(2)  # traces, compiles and fills caches
        times[name] = max(1, round(seconds / max(run(1), 1e-6)))
    rates = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (run, amount) in runs.items():
            rates[name].append(times[name] * amount / run(times[name]))
    return rates


def ratio(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """Of the rates of the same rounds: `median`, `low` and `high`."""
    each = [one / other for one, other in zip(ours, theirs, strict=True)]
    return {"median": median(each), "low": min(each), "high": max(each)}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. What is not there was not measured, and `note` says why.

    Attributes:
        unit: of the medians `ours`, `rival` and `limit`: something a second, or `s` (fewer are better).
        rival_name: who the rival is, or why there is none.
        ratio: how many times better than the rival.
    """

    what: str
    unit: str = ""
    ours: float | None = None
    rival: float | None = None
    rival_name: str = ""
    ratio: dict[str, float] | None = None
    limit: float | None = None
    note: str = ""

    @property
    def share(self) -> float | None:
        """Of the limit."""
        return None if self.ours is None or self.limit is None else self.ours / self.limit

    @classmethod
    def of_rates(cls, what: str, unit: str, rates: dict[str, list[float]], rival_name: str = "", **others):
        """From `alternate`'s rates of `ours` and, where there is one, `rival`."""
        ours, rival = rates["ours"], rates.get("rival")
        compared = {"rival": median(rival), "ratio": ratio(ours, rival)} if rival else {}
        return cls(what=what, unit=unit, ours=median(ours), rival_name=rival_name, **compared, **others)


def table(rows: Iterable[Row]) -> str:
    """Markdown."""
    titles = "what", "ours", "rival", "ratio", "limit", "share of it", "notes"
    cells = ([cell.replace("|", "/") for cell in _cells(row)] for row in rows)
    return tables.markdown(titles, cells, words=titles)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"{row.what}, {row.unit}" if row.unit else row.what,
        number(row.ours),
        " ".join(filter(None, [number(row.rival), f"({row.rival_name})" if row.rival_name else ""])),
        "{median:.2f}× ({low:.2f}–{high:.2f})".format(**row.ratio) if row.ratio else "",
        number(row.limit),
        f"{row.share:.0%}" if row.share is not None else "",
        row.note,
    )


def number(value: float | None) -> str:
    """Three significant digits, and all those before the point."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def machine(ours: dict[str, str], pytorch: str) -> str:
    """One line: processor, cores, instruction sets, device, versions, load and date."""
    file = Path("/proc/cpuinfo")
    flags = set(file.read_text().split()) if file.exists() else ()
    installed = {package.name.lower(): package.version for package in distributions()}
    parts = [
        ours["processor"],
        f"{cores()} cores",
        " ".join(flag for flag in _FLAGS if flag in flags),
        ours["device"],
        f"Python {platform.python_version()}",
        *(f"{package} {installed[package]}" for package in _PACKAGES if package in installed),
        pytorch,
        f"load {os.getloadavg()[0]:.2f} at the start" if hasattr(os, "getloadavg") else "",
        f"{date.today()}",
    ]
    return " · ".join(filter(None, parts))


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
