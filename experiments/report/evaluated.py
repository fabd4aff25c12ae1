"""The tables and plots of evaluation.json, or the command that makes it."""

import shlex
from html import escape
from typing import Any, NamedTuple

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
_LOADING = ("link", "image_link", "reference", "image_reference", "short_reference", "short_image_ref")
_LOADING += ("autolink", "automail", "html")


class Evaluated(NamedTuple):
    """What is known of a run's worth."""

    body: str  # HTML
    command: str  # line that evaluates the run as it was, or as it would be without options


def evaluated(run: Run, configuration: Configuration) -> Evaluated:
    """The section on the evaluation; DimError if evaluation.json cannot be used."""
    file = run.path / "evaluation.json"
    if not file.exists():
        command = program_command("evaluate", run, Options())
        missing = "This run has not been evaluated. To measure it and its baselines, type"
        after = elements.paragraph("and make the report again.")
        return Evaluated(elements.paragraph(missing) + elements.command(command) + after, command)
    remedy = f"evaluate again: make evaluate RUN={shlex.quote(run.name)}"
    evaluation = read_json(file, _FORM, remedy)
    try:
        options = evaluation["options"]
        options = Options(**{**options, "metrics": tuple(options["metrics"])})
        return Evaluated(_body(evaluation, configuration), program_command("evaluate", run, options))
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        reason = f"perhaps it is of another version ({type(error).__name__}: {error})"
        raise DimError(f"{file} cannot be used, {reason}; {remedy}") from error


def _body(evaluation: dict[str, Any], configuration: Configuration) -> str:
    parts = [elements.paragraph(facts([evaluation]))]
    if evaluation["epochs"] != configuration.epochs:
        before = f"Evaluated after {evaluation['epochs']} epochs; the run has gone on since: evaluate again."
        parts.append(elements.paragraph(before))
    parts.append(elements.charts(plots(evaluation)))
    html = _html(tables([evaluation])).replace("<h2>", "<h3>").replace("</h2>", "</h3>")
    html = html.replace("<table>", '<div class="scroll own-first"><table>')
    return "\n".join([*parts, html.replace("</table>", "</table></div>")])


def _html(text: str) -> str:
    """Markdown without the parts of it that would lead or load from elsewhere, and without HTML."""
    from markdown import Markdown

    reader = Markdown(extensions=["tables"])
    for pattern in _LOADING:
        reader.inlinePatterns.deregister(pattern)
    reader.preprocessors.deregister("html_block")
    reader.parser.blockprocessors.deregister("reference")
    reader.ESCAPED_CHARS.append("&")  # which begins what stands for an escaped <
    return reader.convert(escape(text, quote=False))
