"""The table of a comparison: a row a preset, beside those that every code has to beat."""

from statistics import mean, stdev

from dim.evaluation import PIXELS
from dim.names import in_markdown, printable
from experiments.compare.training import Entry

_METRICS = {"cosine": "cosine", "l2": "L2"}
_COLUMNS = ("name", "cosine", "cosine_deviation", "l2", "l2_deviation")
_COLUMNS += ("seeds", "images_seen", "minutes", "failed")


def table(entries: list[Entry], untrained: dict[str, list[dict]]) -> list[dict]:
    """One row a preset, and those that every code has to beat, the most accurate first.

    Accuracies are shares of 1, with the standard deviation over seeds (n - 1) where there are several.

    Args:
        entries: of `trained`.
        untrained: of `experiments.compare.untrained`.
    """
    complete = [entry for entry in entries if not entry.failure]
    rows = []
    for preset in dict.fromkeys(entry.preset for entry in entries):
        own = [entry for entry in complete if entry.preset == preset]
        minutes = [entry.diary["seconds"] / 60 for entry in own]
        failed = [f"seed {e.seed}: {e.failure}" for e in entries if e.preset == preset and e.failure]
        rows.append(
            {
                "name": preset,
                **_accuracies(own, "code"),
                "images_seen": own[0].curve[-1][0] if own else "",
                "minutes": mean(minutes) if own else "",
                "failed": printable("; ".join(failed)),
            }
        )
    rows += [{"name": name, **_mean(seeds), "seeds": len(seeds)} for name, seeds in untrained.items()]
    rows.append({"name": PIXELS, **_accuracies(complete[:1], PIXELS)})
    rows.sort(key=lambda row: -1 if row["cosine"] == "" else row["cosine"], reverse=True)
    return [{name: row.get(name, "") for name in _COLUMNS} for row in rows]


def _accuracies(entries: list[Entry], what: str) -> dict:
    return {**_mean([entry.accuracy[what] for entry in entries]), "seeds": len(entries)}


def _mean(accuracies: list[dict]) -> dict:
    """Mean and standard deviation over the seeds, by each metric."""
    cells = {}
    for metric in _METRICS:
        each = [accuracy[metric] for accuracy in accuracies]
        cells[metric] = mean(each) if each else ""
        cells[f"{metric}_deviation"] = stdev(each) if len(each) > 1 else ""
    return cells


def header(complete: list[Entry], epochs: int) -> str:
    """What the numbers of a table are, in one line."""

    def each(values):
        return "; ".join(dict.fromkeys(values))

    neighbours = each(f"{entry.k}-NN" for entry in complete)
    seen = [entry.curve[-1][0] for entry in complete]
    images = " to ".join(dict.fromkeys(f"{n:,}" for n in (min(seen), max(seen))))
    return " · ".join(
        [
            in_markdown(each(entry.diary["data"] for entry in complete)),
            f"{epochs} epochs, {images} images seen",
            f"validation accuracy of {neighbours} among all training images",
            "mean ± standard deviation over seeds, untrained encoders calibrated",
            each(entry.diary["machine"] for entry in complete),
            max(entry.diary["date"] for entry in complete),
        ]
    )


def markdown(rows: list[dict]) -> str:
    """The rows of `table` for reading."""
    titles = ["", *_METRICS.values(), "seeds", "images seen", "minutes"]
    lines = [
        [
            row["name"],
            *(_percent(row[metric], row[f"{metric}_deviation"]) for metric in _METRICS),
            str(row["seeds"]),
            f"{row['images_seen']:,}" if row["images_seen"] else "",
            f"{row['minutes']:.1f}" if row["minutes"] != "" else "",
        ]
        for row in rows
    ]
    if any(row["failed"] for row in rows):
        titles.append("failed")
        lines = [[*line, in_markdown(row["failed"])] for line, row in zip(lines, rows, strict=True)]
    rule = ["---" if title in ("", "failed") else "---:" for title in titles]
    return "".join(f"| {' | '.join(line)} |\n" for line in (titles, rule, *lines))


def _percent(share, deviation) -> str:
    if share == "":
        return ""
    return f"{100 * share:.1f} %" if deviation == "" else f"{100 * share:.1f} ± {100 * deviation:.1f} %"
