"""The tables and plots of evaluation.json, or the command that makes it."""

import shlex
from typing import Any

from dim.configuration import Configuration
from dim.errors import DimError
from dim.files import read_json
from dim.search.nearest import Metric
from dim.training.run import Run
from experiments.evaluate.options import Options
from experiments.evaluate.plot import plots
from experiments.evaluate.tables import facts, tables
from experiments.report import elements
from experiments.report.commands import program_command

_FORM = {
    **dict.fromkeys(("run", "preset", "data", "device", "date"), str),
    **dict.fromkeys(("seed", "epochs", "train", "val", "classes"), int),
    **{part: {str: dict} for part in ("features", "gauges", "dependence")},
    "seconds": float,
    "options": {"metrics": [Metric], "quick": bool},
    "notes": [str],
}


def evaluated(run: Run, configuration: Configuration) -> tuple[str, str]:
    """The section on the evaluation, as HTML, and the line that evaluates again as it was done, or anew.

    Raises DimError if evaluation.json cannot be used.
    """
    file = run.path / "evaluation.json"
    if not file.exists():
        command = program_command("evaluate", run, Options())
        missing = "This run has not been evaluated. To measure it and its baselines, type"
        after = elements.paragraph("and make the report again.")
        return elements.paragraph(missing) + elements.command(command) + after, command
    remedy = f"evaluate again: make evaluate RUN={shlex.quote(run.name)}"
    evaluation = read_json(file, _FORM, remedy)
    try:
        options = evaluation["options"]
        options = Options(**{**options, "metrics": tuple(options["metrics"])})
        return _body(evaluation, configuration), program_command("evaluate", run, options)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        reason = f"perhaps it is of another version ({type(error).__name__}: {error})"
        raise DimError(f"{file} cannot be used, {reason}; {remedy}") from error


def _body(evaluation: dict[str, Any], configuration: Configuration) -> str:
    parts = [elements.paragraph(facts([evaluation]))]
    if evaluation["epochs"] != configuration.epochs:
        before = f"Evaluated after {evaluation['epochs']} epochs; the run has gone on since: evaluate again."
        parts.append(elements.paragraph(before))
    parts.append(elements.charts(plots(evaluation)))
    html = elements.from_markdown(tables([evaluation])).replace("<h2>", "<h3>").replace("</h2>", "</h3>")
    return "\n".join([*parts, html.replace('<div class="scroll">', '<div class="scroll own-first">')])
