"""What was trained on what, how to do it again, and what came of it at the end of training."""

from dataclasses import asdict

import numpy as np

from dim.configuration import Configuration
from dim.data import Dataset
from dim.names import in_markdown
from dim.training.run import Run
from experiments.report import elements
from experiments.report.commands import train_command
from experiments.report.curves import read_log
from experiments.tables import markdown

_STATED = {"preset", "data", "image_size", "epochs", "batch_size", "precision", "encoder", "code_size"}


def overview(
    run: Run, configuration: Configuration, dataset: Dataset, shown: str, encoder, commands: list[str]
) -> str:
    """The first section, as HTML.

    Args:
        run, configuration, encoder: of the run.
        dataset: the images that the rest of the page is about.
        shown: where they come from, if that is not what the run was trained on.
        commands: lines that do it again, after that of the training.
    """
    epochs, logged = read_log(run.log)
    done = f"{epochs[-1] if epochs else 0} of {configuration.epochs}"
    facts = {
        "preset": configuration.preset,
        "trained on": _trained_on(run, configuration, "" if shown else str(dataset)),
        "encoder": _encoder(configuration, encoder),
        "precision": configuration.precision,
        "epochs": f"{done}, batches of {configuration.batch_size}",
        "machine": _machine(run, logged.get("seconds", [])),
    }
    if shown:
        facts["shown below"] = f"{dataset} ({shown})"
    others = {name.replace("_", " "): x for name, x in asdict(configuration).items() if name not in _STATED}
    again = "".join(map(elements.command, [train_command(run, configuration), *commands]))
    others = f"<h3>Other settings</h3>{elements.facts(others, columns=True)}"
    return elements.facts(facts) + _results(run) + f"<h3>The same again</h3>{again}" + others


def _trained_on(run: Run, configuration: Configuration, described: str) -> str:
    if not described and run.data.exists():
        held = run.read_json(run.data, "train", "val", "classes")
        described = f"{held['train']:,} train + {held['val']:,} val, {held['classes']} classes"
    return f"{described} ({configuration.data})" if described else configuration.data


def _encoder(configuration: Configuration, encoder) -> str:
    from dim.encoders import FEATURE_MAP, MEAN

    S = configuration.image_size
    shapes = encoder.compute_output_shape((None, S, S, 3))
    (_, H, W, C), (_, D) = shapes[FEATURE_MAP], shapes[MEAN]
    sizes = f"{S}×{S} pixels → feature map {H}×{W}×{C} → code of {D}"
    return f"{configuration.encoder}: {sizes}, {encoder.count_params():,} weights"


def _machine(run: Run, seconds: list[float]) -> str:
    """The last one, with the time of all epochs; runs of older versions know neither."""
    if not run.machine.exists():
        return "not recorded"
    noted = run.read_json(run.machine, "machine", "date")
    return f"{noted['machine']}; {np.nansum(seconds) / 60:.1f} minutes, {noted['date']}"


def _results(run: Run) -> str:
    """The accuracies that training ends with, where there are labels and it was completed."""
    if not run.results.exists():
        return ""
    results = run.read_json(run.results, "k", "accuracy")
    metrics = "cosine", "l2"
    measured = results["accuracy"].items()
    rows = [(in_markdown(name), *(_percent(each.get(m)) for m in metrics)) for name, each in measured]
    title = f"Validation accuracy of {results['k']} nearest neighbours, each with a vote, when training ended"
    table = elements.from_markdown(markdown(("", "cosine", "L2"), rows))
    return f"<h3>In short</h3>{elements.paragraph(title)}{table}"


def _percent(share) -> str:
    return f"{share:.1%}" if isinstance(share, float | int) else ""
