"""What was trained on what, how to do it again, and what came of it at the end of training."""

import json
from dataclasses import asdict

from dim.configuration import Configuration
from dim.data import Dataset
from dim.runs import Run
from experiments.reports import elements
from experiments.reports.commands import train_command
from experiments.reports.curves import read_log

_STATED = {"preset", "data", "image_size", "epochs", "batch_size", "precision", "encoder", "code_size"}


def overview(
    run: Run, configuration: Configuration, dataset: Dataset, shown: str, encoder, commands: list[str]
) -> str:
    """The first section, as HTML.

    Args:
        run: whose.
        configuration: of the run.
        dataset: the images that the rest of the page is about.
        shown: where they come from, if that is not what the run was trained on.
        encoder: of the run.
        commands: lines that do it again, after that of the training.
    """
    epochs, _ = read_log(run.log)
    facts = {
        "preset": configuration.preset,
        "trained on": _trained_on(run, configuration, "" if shown else str(dataset)),
        "encoder": _encoder(configuration, encoder),
        "precision": configuration.precision,
        "epochs": f"{epochs[-1] if epochs else 0} of {configuration.epochs}, batches of "
        f"{configuration.batch_size}",
        "machine": _machine(run),
    }
    if shown:
        facts["shown below"] = f"{dataset} ({shown})"
    others = {
        name.replace("_", " "): value for name, value in asdict(configuration).items() if name not in _STATED
    }
    again = "".join(map(elements.command, [train_command(run, configuration), *commands]))
    return (
        elements.facts(facts)
        + _results(run)
        + f"<h3>The same again</h3>{again}"
        + f"<h3>Other settings</h3>{elements.settings(others)}"
    )


def _trained_on(run: Run, configuration: Configuration, described: str) -> str:
    if not described and run.data.exists():
        held = json.loads(run.data.read_text("utf8"))
        described = f"{held['train']:,} train + {held['val']:,} val, {held['classes']} classes"
    return f"{described} ({configuration.data})" if described else configuration.data


def _encoder(configuration: Configuration, encoder) -> str:
    from dim.encoders import FEATURE_MAP, MEAN

    _, H, W, C = encoder.output[FEATURE_MAP].shape
    _, D = encoder.output[MEAN].shape
    S = configuration.image_size
    sizes = f"{S}×{S} pixels → feature map {H}×{W}×{C} → code of {D}"
    return f"{configuration.encoder}: {sizes}, {encoder.count_params():,} weights"


def _machine(run: Run) -> str:
    """`experiments.compare` keeps it beside the run; a training alone does not."""
    diary = run.path / "compare.json"
    if not diary.exists():
        return "not recorded"
    noted = json.loads(diary.read_text("utf8"))
    return f"{noted['machine']}; {noted['seconds'] / 60:.1f} minutes, {noted['date']}"


def _results(run: Run) -> str:
    """The accuracies that training ends with, where there are labels and it was completed."""
    if not run.results.exists():
        return ""
    results = json.loads(run.results.read_text("utf8"))
    rows = [
        (name, *(f"{accuracy[metric]:.1%}" for metric in ("cosine", "l2")))
        for name, accuracy in results["accuracy"].items()
    ]
    title = f"Validation accuracy of {results['k']} nearest neighbours, each with a vote, when training ended"
    return f"<h3>In short</h3>{elements.paragraph(title)}" + elements.table(("", "cosine", "L2"), rows)
