"""Writes report.html into the run folder: what was trained on what, and what came of it, in one file.

Pictures lie inside the file and nothing is loaded from elsewhere. Curves come from the run's log, tables
from `evaluate`; neighbours, a map of the codes, and best and worst queries are computed here.
"""

from dataclasses import dataclass
from datetime import date

from dim.errors import DimError
from dim.files import replace
from dim.names import printable
from experiments import command_line
from experiments.options import OfRun


@dataclass(frozen=True)
class Options(OfRun):
    """Options of `report`."""

    data: str = ""
    """Another data set to show than the one the run was trained on."""


def report(options: Options) -> None:
    """Embeds the images and writes the page; DimError if the run, its data or evaluation cannot be used."""
    run, configuration = options.opened()
    if not run.checkpoint.exists():
        raise DimError(f"{run.path} has no checkpoint yet; train it: make train RUN={run.name}")
    dataset = run.dataset(options.data)

    command_line.import_keras()
    from dim.device import describe_device
    from dim.encoders.embedding import embed
    from experiments.report import elements
    from experiments.report.code_map import code_map
    from experiments.report.commands import program_command
    from experiments.report.curves import curves
    from experiments.report.evaluated import evaluated
    from experiments.report.neighbours import neighbours
    from experiments.report.overview import overview
    from experiments.report.page import page
    from experiments.report.queries import queries

    evaluation, evaluate_again = evaluated(run, configuration)
    encoder = run.load_encoder()
    train, val = embed(encoder, dataset.train.images), embed(encoder, dataset.val.images)
    command = program_command("report", run, options)
    commands = [evaluate_again, command]
    sections = {
        "Run": overview(run, configuration, dataset, options.data, encoder, commands),
        "Training": curves(run),
        "Evaluation": evaluation,
        "Neighbours": neighbours(dataset, train, val),
        "Map of the codes": code_map(dataset, val),
        "Best and worst queries": queries(dataset, val),
    }
    code = f"<code>{elements.text(command)}</code>"
    footer = f"Written by {code} on {date.today().isoformat()}, {describe_device()}."
    lead = f"Preset {configuration.preset} on {dataset}"
    text = page(run.path.name, lead, sections, footer)
    file = run.path / "report.html"
    replace(file, lambda file: file.write_text(text, "utf8"))
    print(f"{printable(file)}  {len(text) / 1e6:.1f} MB, all in one file; open it in a browser")


if __name__ == "__main__":
    command_line.run(report, Options, __doc__)
