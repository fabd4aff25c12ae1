"""The table and the figure of what ranks best."""

from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dim.data.films import counts
from dim.data.leave_last_out import GOOD, Split
from dim.data.movielens import Ratings
from dim.device import describe_device
from dim.evaluation.ranking import RankingMetrics, gains, ranking_metrics, ranks, recall, unrated
from dim.evaluation.recommenders import factorised, item_knn, popularity
from dim.methods.two_towers import TwoTowers
from dim.names import in_markdown
from dim.pictures.figures import BLUE, GREEN, GREY, ORANGE, PINK, SKY, YELLOW, explained, panels
from dim.training.recommending import scores_of
from experiments import tables
from experiments.compare.table import publish

_TITLES = "Recall@10", "NDCG@10", "MRR", "coverage", "cold Recall@100"
_CUTOFFS = np.arange(1, 101)
_STYLES = (GREEN, "-"), (ORANGE, "-"), (BLUE, "-"), (GREY, ":"), (PINK, "--"), (YELLOW, "--"), (SKY, "--")


class Entry(NamedTuple):
    """A row of the table: what was measured with each seed."""

    name: str
    metrics: list[RankingMetrics]
    ranks: list[np.ndarray]  # of each user's film
    minutes: float | None  # that a seed took to train, on average


def evaluate(
    out: Path,
    ratings: Ratings,
    split: Split,
    models: dict[str, list[TwoTowers]],
    seconds: dict[str, list[float]],
) -> None:
    """Ranks for the test of every user, writes table and figure and prints the table."""
    films = len(ratings.titles)
    known, test = counts(split, films) > 0, split.test

    def entry(name: str, every: list[np.ndarray], minutes: float | None = None) -> Entry:
        every = [unrated(scores, test.rated) for scores in every]
        measured = [ranking_metrics(scores, test, known) for scores in every]
        return Entry(name, measured, [ranks(scores, test.film) for scores in every], minutes)

    entries = []
    for towers, trained in models.items():
        scores = [scores_of(model, test.user, test.liked) for model in trained]
        entries.append(entry(f"towers, {towers}", scores, float(np.mean(seconds[towers])) / 60))
    for make in popularity, item_knn, factorised:
        made = make(split, films)
        entries.append(entry(made.name, [made.score(test.liked)]))
    rows = [row(each) for each in entries]
    text = f"{_header(ratings, split, known, entries)}\n\n{markdown(rows)}"
    publish(out, "recommend", text, rows, plot(entries), "recall.png")


def row(entry: Entry) -> dict:
    """Means over seeds with their deviations, None where there are none."""
    names = RankingMetrics._fields
    cells = tables.over_seeds([each._asdict() for each in entry.metrics], names)
    return {"name": entry.name, **cells, "minutes": entry.minutes}


def _header(ratings: Ratings, split: Split, known: np.ndarray, entries: list[Entry]) -> str:
    """What the numbers are, in a few lines."""
    test, first = split.test, gains(entries[0].ranks[0])
    cold = int((~known[test.film]).sum())
    error = first.std(ddof=1) / np.sqrt(len(first)) if len(first) > 1 else 0.0
    parts = (
        in_markdown(ratings),
        f"the last film of {GOOD:g} stars or more of each of {len(test.user):,} users, among all films that "
        "he had not rated before",
        f"cold: the {cold:,} whose film nobody rated so in training",
        f"standard error of NDCG@10 over users about {error:.3f}",
        "± standard deviation over seeds",
        f"minutes of training, {describe_device()}",
        date.today().isoformat(),
    )
    return " · ".join(parts)


def markdown(rows: list[dict]) -> str:
    """The rows for reading."""

    def cell(row: dict, name: str) -> str:
        return "" if row[name] is None else tables.number(row[name], row[f"{name}_deviation"])

    lines = [
        [
            row["name"],
            *(cell(row, name) for name in RankingMetrics._fields),
            str(row["seeds"]) if row["minutes"] is not None else "",
            "" if row["minutes"] is None else f"{row['minutes']:.1f}",
        ]
        for row in rows
    ]
    return tables.markdown(["", *_TITLES, "seeds", "minutes"], lines)


def plot(entries: list[Entry]):
    """Recall over cutoffs: a line each, the mean of its seeds."""
    figure, axes = panels(1, 6.4, 4.0)
    for entry, (colour, style) in zip(entries, _STYLES, strict=False):
        shares = 100 * np.mean([recall(found, _CUTOFFS) for found in entry.ranks], axis=0)
        axes.plot(_CUTOFFS, shares, color=colour, linestyle=style, linewidth=1.6, label=entry.name)
    axes.set(xscale="log", xlim=(1, _CUTOFFS[-1]), ylim=(0, None))
    axes.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
    axes.minorticks_off()
    explained(axes, "films shown, of all that the user had not rated", "users whose film is among them (%)")
    return figure
