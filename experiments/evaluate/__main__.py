"""Says what a run's features are worth: accuracies, retrieval, gauges and dependence beside baselines.

Writes evaluation.json, evaluation.md and evaluation.png into the run folder and a line into
evaluations.csv beside it. Settings of the probes are chosen within the training images; validation images
are looked at once, or, of a run with --tune, never: what that held out stands in their place.
"""

from dim.errors import DimError
from dim.files import check_writable
from dim.names import printable
from dim.training.run import Run
from experiments import command_line
from experiments.evaluate.in_turn import evaluated_in_turn
from experiments.evaluate.options import Options, dataset_of
from experiments.evaluate.record import record, recorded


def evaluate(options: Options) -> None:
    """Evaluates each run, and compares several; DimError if a run, the data or an option cannot be used."""
    if options.seed < 0:
        raise DimError(f"--seed must be at least 0, not {options.seed}")
    if not options.metrics:
        raise DimError("--metrics needs at least one distance")
    names = list(dict.fromkeys(name.strip() for name in options.run.split(",") if name.strip()))
    runs = [Run.chosen(name) for name in names or [""]]
    for run in runs:
        dataset_of(run, options)
        check_writable(run.path)
        check_writable(run.path.parent)
    beside = runs[0].path.parent
    recorded(beside / "evaluations.csv")  # that it can be added to, before the work

    evaluations = []
    for run, evaluation in zip(runs, evaluated_in_turn(runs, options), strict=True):
        evaluations.append(evaluation)
        command_line.import_keras()
        from experiments.evaluate.plot import plot
        from experiments.evaluate.tables import markdown

        text = markdown([evaluation])
        print(f"\n{text}", flush=True)  # first: were the disk full by now, files alone would be lost
        run.write_json(run.path / "evaluation.json", evaluation)
        (run.path / "evaluation.md").write_text(text, "utf8")
        plot(evaluation).savefig(run.path / "evaluation.png")
        csv = record(beside / "evaluations.csv", evaluation)
        written = [run.path / f"evaluation.{kind}" for kind in ("json", "md", "png")]
        print("  ".join(map(printable, [*written, csv])))
    if len(runs) > 1:
        text = markdown(evaluations)
        print(f"\n{text}", flush=True)
        (beside / "evaluations.md").write_text(text, "utf8")
        print(printable(beside / "evaluations.md"))


if __name__ == "__main__":
    command_line.run(evaluate, Options, __doc__)
