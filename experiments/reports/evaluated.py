"""The tables and plots of evaluation.json, or the command that makes it."""

import json
import shlex
from html import escape
from typing import Any, NamedTuple

from dim.configuration import Configuration
from dim.errors import DimError
from dim.runs import Run
from experiments.evaluate import Options
from experiments.evaluations.plot import plots
from experiments.evaluations.report import facts, tables
from experiments.reports import elements
from experiments.reports.commands import program_command


class Evaluated(NamedTuple):
    """What is known of a run's worth.

    Attributes:
        body: HTML.
        command: line that evaluates the run as it was, or as it would be without options.
    """

    body: str
    command: str


def evaluated(run: Run, configuration: Configuration) -> Evaluated:
    """The section on the evaluation.

    Raises:
        DimError: evaluation.json cannot be used.
    """
    file = run.path / "evaluation.json"
    if not file.exists():
        command = program_command("evaluate", run, Options())
        missing = "This run has not been evaluated. To measure it and its baselines, type"
        after = elements.paragraph("and make the report again.")
        return Evaluated(elements.paragraph(missing) + elements.command(command) + after, command)
    try:
        evaluation = json.loads(file.read_text("utf8"))
        options = evaluation["options"]
        command = program_command(
            "evaluate", run, Options(**{**options, "metrics": tuple(options["metrics"])})
        )
        return Evaluated(_body(evaluation, configuration), command)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DimError(
            f"{file} is damaged or of another version ({type(error).__name__}: {error}); "
            f"evaluate again: make evaluate RUN={shlex.quote(run.name)}"
        ) from error


def _body(evaluation: dict[str, Any], configuration: Configuration) -> str:
    import markdown

    parts = [elements.paragraph(facts([evaluation]))]
    if evaluation["epochs"] != configuration.epochs:
        before = f"Evaluated after {evaluation['epochs']} epochs; the run has gone on since: evaluate again."
        parts.append(elements.paragraph(before))
    parts.append(elements.charts(plots(evaluation)))
    html = markdown.markdown(escape(tables([evaluation]), quote=False), extensions=["tables"])
    html = html.replace("<h2>", "<h3>").replace("</h2>", "</h3>")
    html = html.replace("<table>", '<div class="scroll own-first"><table>').replace(
        "</table>", "</table></div>"
    )
    return "\n".join([*parts, html])
