"""The table of a comparison: a row a preset, beside those that every code has to beat."""

from pathlib import Path
from statistics import mean

from dim.evaluation import PIXELS
from dim.files import replace
from dim.names import in_markdown, printable
from dim.pictures.figures import save
from experiments import tables
from experiments.compare.training import Entry

_METRICS = {"cosine": "cosine", "l2": "L2"}
_COLUMNS = ("name", "cosine", "cosine_deviation", "l2", "l2_deviation")
_COLUMNS += ("seeds", "images_seen", "minutes", "failed")


def table(entries: list[Entry], untrained: dict[str, list[dict]]) -> list[dict]:
    """One row a preset, and those that every code has to beat, the most accurate first.

    Accuracies are shares of 1, with the standard deviation over seeds (n - 1) where there are several; None
    is what is not known.
    """
    rows = []
    for preset in dict.fromkeys(entry.preset for entry in entries):
        every = [entry for entry in entries if entry.preset == preset]
        own = [entry for entry in every if not entry.failure]
        row = {"name": preset, **tables.over_seeds([entry.accuracy["code"] for entry in own], _METRICS)}
        if own:
            row["images_seen"] = own[0].curve[-1][0]
            row["minutes"] = mean(entry.diary["seconds"] / 60 for entry in own)
        failed = (f"seed {entry.seed}: {entry.failure}" for entry in every if entry.failure)
        rows.append({**row, "failed": printable("; ".join(failed))})
    first = next(entry for entry in entries if not entry.failure)
    others = {**untrained, PIXELS: [first.accuracy[PIXELS]]}
    rows += [{"name": name, **tables.over_seeds(seeds, _METRICS)} for name, seeds in others.items()]
    rows.sort(key=lambda row: -1 if row["cosine"] is None else row["cosine"], reverse=True)
    return [dict.fromkeys(_COLUMNS) | row for row in rows]


def header(complete: list[Entry], epochs: int) -> str:
    """What the numbers of a table are, in one line."""

    def each(values):
        return "; ".join(dict.fromkeys(values))

    neighbours = each(f"{entry.k}-NN" for entry in complete)
    seen = [entry.curve[-1][0] for entry in complete]
    images = " to ".join(dict.fromkeys(f"{n:,}" for n in (min(seen), max(seen))))
    parts = (
        in_markdown(each(entry.diary["data"] for entry in complete)),
        f"{epochs} epochs, {images} images seen",
        f"validation accuracy of {neighbours} among all training images",
        "mean ± standard deviation over seeds, untrained encoders calibrated",
        each(entry.diary["machine"] for entry in complete),
        max(entry.diary["date"] for entry in complete),
    )
    return " · ".join(parts)


def markdown(rows: list[dict]) -> str:
    """The rows of `table` for reading."""

    def accuracy(row, metric):
        share = row[metric]
        return "" if share is None else tables.percent(share, row[f"{metric}_deviation"])

    titles = ["", *_METRICS.values(), "seeds", "images seen", "minutes", "failed"]
    lines = [
        [
            row["name"],
            *(accuracy(row, metric) for metric in _METRICS),
            str(row["seeds"]),
            "" if row["images_seen"] is None else f"{row['images_seen']:,}",
            "" if row["minutes"] is None else f"{row['minutes']:.1f}",
            in_markdown(row["failed"] or ""),
        ]
        for row in rows
    ]
    shown = len(titles) if any(row["failed"] for row in rows) else -1
    return tables.markdown(titles[:shown], [line[:shown] for line in lines], words=["failed"])


def publish(out: Path, name: str, text: str, rows: list[dict], figure, picture: str) -> None:
    """Writes what came of a comparison, NAME.md, NAME.csv and the picture, and prints text and places."""
    files = out / f"{name}.md", out / f"{name}.csv", out / picture
    replace(files[0], lambda file: file.write_text(text, "utf8"))
    tables.write_csv(files[1], rows)
    replace(files[2], lambda file: save(figure, file))
    print(f"\n{text}\n{'  '.join(map(printable, files))}")
