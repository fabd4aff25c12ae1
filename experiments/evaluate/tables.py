"""Tables, one plot and one line in a CSV file from what `experiments.evaluate` measured."""

import csv
import math
from pathlib import Path
from statistics import mean, stdev

from dim.evaluation import UNTRAINED
from dim.files import read_table, replace
from dim.names import cell, in_markdown
from experiments.evaluate import explanations

_ROWS = {
    "code": "code",
    "hidden": "hidden layer",
    "conv": "feature map",
    "PCA": "PCA of pixels",
    "pixels": "raw pixels",
}
_ENCODERS = {"untrained": UNTRAINED, "uncalibrated": "untrained, uncalibrated"}
_METRICS = {"l2": "L2", "cosine": "cosine", "l1": "L1", "mahalanobis": "Mahalanobis"}
_CLASSIFICATION = {
    "knn5_l2": "5-NN",
    "knn20_cosine": "20-NN",
    "knn200_cosine": "200-NN",
    "linear": "linear",
    "mlp": "MLP",
    "svm": "SVM",
    "linear_1": "linear, 1 % of labels",
    "linear_10": "linear, 10 %",
}
_RETRIEVAL = {
    "recall_at_1": "Recall@1",
    "precision_at_10": "Precision@10",
    "r_precision": "R-precision",
    "map_at_r": "MAP@R",
}
_GAUGES = {
    "direction_spread": "direction spread",
    "rank_me": "RankMe",
    "alignment": "alignment",
    "uniformity": "uniformity",
    "ks": "misfit to the prior",
    "ks_of_perfect_fit": "of a perfect fit",
    "correlation": "correlation",
}
_DEPENDENCE = {
    "mutual_information": "I(X; Y) by MINE (nats)",
    "neural_dependency": "NDM (nats)",
    "ceiling": "ln N (nats)",
    "ms_ssim": "MS-SSIM",
}
_ESTIMATES = {"mutual_information", "neural_dependency"}


def markdown(evaluations: list[dict]) -> str:
    """All tables of one run, or of several as mean ± standard deviation over them.

    Args:
        evaluations: contents of evaluation.json.
    """
    title = ", ".join(dict.fromkeys(evaluation["run"] for evaluation in evaluations))
    return f"# {in_markdown(title)}\n\n{in_markdown(facts(evaluations))}\n\n{tables(evaluations)}"


def tables(evaluations: list[dict]) -> str:
    """As `markdown`, without the title and what was measured where."""
    first = evaluations[0]
    metrics, probes = first["options"]["metrics"], not first["options"]["quick"]
    parts = [spread] if (spread := _spread(evaluations)) else []
    if first["features"]:
        explained = [explanations.UNTRAINED] * ("untrained code" in first["features"])
        explained += [explanations.NEIGHBOURS, *([explanations.PROBES] if probes else [])]
        parts += [
            f"## Accuracy\n\nOn validation images, in %; all {first['train']:,} training images are known.",
            _table(evaluations, "features", {"length": "length", **_CLASSIFICATION}),
            "\n".join(explained),
            "## Retrieval\n\nEach validation image among all others, itself left out; in %.",
            *(_retrieval_table(evaluations, metric) for metric in metrics),
            "Clusters:\n\n" + _table(evaluations, "features", {"ami": "AMI"}),
            explanations.RETRIEVAL,
        ]
    fit = any("ks" in gauges for gauges in first["gauges"].values())
    parts += ["## Geometry", _table(evaluations, "gauges", _GAUGES)]
    parts += [explanations.GEOMETRY + (f"\n{explanations.PRIOR}" if fit else "")]
    if first["dependence"]:
        parts += ["## Dependence", "Estimates, never scores.", _table(evaluations, "dependence", _DEPENDENCE)]
        parts += [explanations.DEPENDENCE]
    notes = list(dict.fromkeys(note for evaluation in evaluations for note in evaluation["notes"]))
    if notes:
        parts.append("## Left out\n\n" + "\n".join(f"- {in_markdown(note)}" for note in notes))
    return "\n\n".join(parts) + "\n"


def _retrieval_table(evaluations: list[dict], metric: str) -> str:
    columns = {f"{metric}_{name}": title for name, title in _RETRIEVAL.items()}
    return f"{_METRICS[metric]}:\n\n{_table(evaluations, 'features', columns)}"


def facts(evaluations: list[dict]) -> str:
    """What was measured where, in one line."""

    def each(name):
        return ", ".join(dict.fromkeys(str(evaluation[name]) for evaluation in evaluations))

    parts = [each("data"), f"preset {each('preset')}, {each('epochs')} epochs, seed {each('seed')}"]
    parts += [each("device"), each("date"), f"{sum(e['seconds'] for e in evaluations) / 60:.1f} minutes"]
    return " · ".join(parts)


def _spread(evaluations: list[dict]) -> str:
    first = evaluations[0]
    if len(evaluations) > 1:
        alike = len({evaluation["group"] for evaluation in evaluations}) == 1
        rest = " that differ in their seed alone." if alike else ", which differ in more than their seed."
        return f"Mean ± standard deviation over {len(evaluations)} runs{rest}"
    if not first["features"]:
        return ""
    error = 100 * math.sqrt(0.4 * 0.6 / first["val"])
    return (
        f"One run. An accuracy of 40 % has a standard error of {error:.1f} points from the choice "
        f"of {first['val']:,} validation images alone; other seeds come on top."
    )


def _table(evaluations: list[dict], part: str, columns: dict[str, str]) -> str:
    """Rows and columns that have a number; several runs give mean ± standard deviation."""
    rows = list(dict.fromkeys(name for evaluation in evaluations for name in evaluation[part]))
    cells = {row: {column: _cell(evaluations, part, row, column) for column in columns} for row in rows}
    columns = {column: title for column, title in columns.items() if any(cells[row][column] for row in rows)}
    lines = [["", *columns.values()], ["---", *["---:"] * len(columns)]]
    lines += [[in_markdown(row_title(row)), *(cells[row][column] for column in columns)] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def row_title(name: str) -> str:
    """`untrained conv` to `untrained encoder: feature map`."""
    prefix, _, depth = name.rpartition(" ")
    if depth not in _ROWS:
        return name
    return f"{_ENCODERS.get(prefix, f'{prefix} encoder')}: {_ROWS[depth]}" if prefix else _ROWS[depth]


def _cell(evaluations: list[dict], part: str, row: str, column: str) -> str:
    values = [evaluation[part].get(row, {}).get(column) for evaluation in evaluations]
    values = [value for value in values if value is not None]
    if not values:
        return _reason(evaluations, part, row, column)
    if column == "length":
        return ", ".join(dict.fromkeys(f"{value:,}" for value in values))
    ceiling = evaluations[0][part][row].get("ceiling", math.inf) if column in _ESTIMATES else math.inf
    if mean(values) > ceiling:
        return "more than ln N"
    scale, digits = (100, 1) if part == "features" else (1, 1 if column == "rank_me" else 3)
    deviation = stdev(values) if len(values) > 1 else None
    if len(evaluations) == 1:
        deviation = evaluations[0][part][row].get(f"{column}_deviation")
    text = f"{scale * mean(values):.{digits}f}"
    return text if deviation is None else f"{text} ± {scale * deviation:.{digits}f}"


def _reason(evaluations: list[dict], part: str, row: str, column: str) -> str:
    """Why a distance has no numbers, in the first of its columns."""
    metric, _, name = column.partition("_")
    reasons = [evaluation[part].get(row, {}).get(f"{metric}_left_out") for evaluation in evaluations]
    return next(filter(None, reasons), "") if name == next(iter(_RETRIEVAL)) else ""


def record(file: Path, evaluation: dict) -> Path:
    """Puts the run's line into a CSV file of all runs, in place of an older one.

    Columns are the facts of a run and, as `row.metric`, every number measured; a file that other versions
    wrote keeps its columns.
    """
    facts = ("run", "group", "preset", "seed", "epochs", "prior", "data", "device", "date", "seconds")
    line = {name: _safe(evaluation[name]) for name in facts}
    for part in "features", "gauges", "dependence":
        for row, measured in evaluation[part].items():
            numbers = {name: value for name, value in measured.items() if isinstance(value, (int, float))}
            line |= {f"{row}.{name}": f"{value:.6g}" for name, value in numbers.items()}
    lines = [*(row for row in recorded(file) if row["run"] != line["run"]), line]

    def write(file: Path) -> None:
        with file.open("w", newline="", encoding="utf8") as new:
            writer = csv.DictWriter(new, list(dict.fromkeys(name for row in lines for name in row)))
            writer.writeheader()
            writer.writerows(lines)

    replace(file, write)
    return file


def recorded(file: Path) -> list[dict[str, str]]:
    """The lines of all runs, a spreadsheet having saved them perhaps.

    Raises:
        DimError: the file is something else.
    """
    return read_table(file, "run", remedy="move it away") if file.exists() else []


def _safe(fact):
    return cell(fact) if isinstance(fact, str) else fact
