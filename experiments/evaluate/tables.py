"""Markdown from what `experiments.evaluate` measured."""

import math
from itertools import groupby

from dim.evaluation.evaluator import Column, Section
from dim.evaluation.evaluators import EVALUATORS
from dim.evaluation.features import ROWS, title
from dim.names import in_markdown
from experiments.tables import markdown as markdown_table
from experiments.tables import mean_and_deviation, number


def markdown(evaluations: list[dict]) -> str:
    """All tables of one run, as in its evaluation.json, or of several as mean ± standard deviation."""
    runs = ", ".join(dict.fromkeys(evaluation["run"] for evaluation in evaluations))
    return f"# {in_markdown(runs)}\n\n{in_markdown(facts(evaluations))}\n\n{tables(evaluations)}"


def tables(evaluations: list[dict]) -> str:
    """As `markdown`, without the title and what was measured where."""
    parts = [spread] if (spread := _spread(evaluations)) else []
    for section, evaluators in groupby(EVALUATORS, lambda evaluator: evaluator.section):
        parts += _section(section, list(evaluators), evaluations)
    notes = list(dict.fromkeys(note for evaluation in evaluations for note in evaluation["notes"]))
    if notes:
        parts.append("## Left out\n\n" + "\n".join(f"- {in_markdown(note)}" for note in notes))
    return "\n\n".join(parts) + "\n"


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


def _section(section: Section, evaluators: list, evaluations: list[dict]) -> list[str]:
    """Its heading, tables and protocols, as far as there are numbers."""
    measured = [evaluation[section.part] for evaluation in evaluations]
    rows = list(dict.fromkeys(row for part in measured for row in part))
    cells = {}
    for column in (column for evaluator in evaluators for column in evaluator.columns):
        each = [_cell([part.get(row, {}) for part in measured], row, column) for row in rows]
        cells |= {column: each} if any(each) else {}
    if not cells:
        return []
    parts = [f"## {section.title}", *([section.lead.format(**evaluations[0])] if section.lead else [])]
    titles = [in_markdown(title(row)) for row in rows]
    for name, columns in groupby(cells, lambda column: column.table):
        columns = list(columns)
        lines = zip(titles, *(cells[column] for column in columns), strict=True)
        table = markdown_table(["", *(column.title for column in columns)], lines)
        parts.append((f"{name}:\n\n" if name else "") + table.rstrip())
    shown = [evaluator.about.strip() for evaluator in evaluators if cells.keys() & set(evaluator.columns)]
    return [*parts, "\n".join(filter(None, shown))]


def _cell(measured: list[dict], row: str, column: Column) -> str:
    """Of the numbers of one row, a dictionary for each run."""
    found = [numbers for numbers in measured if numbers.get(column.name) is not None]
    if not found:
        return next((numbers[column.instead] for numbers in measured if column.instead in numbers), "")
    values = [numbers[column.name] for numbers in found]
    if column.digits is None:
        return ", ".join(dict.fromkeys(f"{value:,}" for value in values))
    mean, deviation = mean_and_deviation(values)
    if mean > measured[0].get(column.ceiling, math.inf):
        return "more than ln N"
    if len(measured) == 1:
        deviation = found[0].get(column.deviation)
    elif row in ROWS and ROWS[row].of_the_data and len(set(values)) == 1:
        deviation = None  # it is one and the same measurement
    return number(column.scale * mean, None if deviation is None else column.scale * deviation, column.digits)
