"""Alternating measurements: what disturbs one side disturbs the other."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """The median of some rounds, and the least and greatest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values) -> "Spread":
        values = list(values)
        return cls(median(values), min(values), max(values))


def alternate(
    runs: dict[str, tuple[Callable[[int], float], float]], rounds: int, seconds: float
) -> dict[str, list[float]]:
    """Runs every side in turn, round after round.

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


def ratio(ours: list[float], theirs: list[float]) -> Spread:
    """Of the rates of the same rounds."""
    return Spread.of(one / other for one, other in zip(ours, theirs, strict=True))
