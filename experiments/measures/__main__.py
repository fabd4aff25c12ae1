"""Computes again what the sources claim about entropy, divergence, distance and mutual information.

Writes one figure or two a claim, and measures.md: each quantity, what its source says, what comes out here,
and where the source is wrong.
"""

from dataclasses import dataclass

from dim.errors import DimError
from dim.files import typed_path
from dim.names import printable
from experiments import command_line


@dataclass(frozen=True)
class Options:
    """Options of `measures`."""

    out: str = "runs/measures"
    """Folder of the figures and the table."""
    steps: int = 600
    """Batches that each bound learns from at each level of information; a quarter for the best critic."""
    splits: int = 20
    """Random splits of the breast-cancer data."""
    seed: int = 0
    """Of samples, splits and weights."""


def measures(options: Options) -> None:
    """Runs one experiment after the other and writes the table."""
    if options.steps < 20 or options.splits < 2 or options.seed < 0:
        raise DimError("--steps must be at least 20, --splits at least 2 and --seed at least 0")
    from tqdm import tqdm

    from experiments.measures.balls import balls
    from experiments.measures.bounds import bounds
    from experiments.measures.breast_cancer import breast_cancer
    from experiments.measures.row import markdown
    from experiments.measures.space_worms import space_worms
    from experiments.measures.two_directions import two_directions
    from experiments.measures.uniform_and_binomial import uniform_and_binomial

    out = typed_path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    command_line.import_keras()
    experiments = {
        "space worms": lambda: space_worms(out),
        "uniform and binomial": lambda: uniform_and_binomial(out, options.seed),
        "two directions": lambda: two_directions(out),
        "breast cancer": lambda: breast_cancer(out, options.splits, options.seed),
        "balls": lambda: balls(out),
        "bounds": lambda: bounds(out, options.steps, options.seed),
    }
    rows = []
    for name, experiment in (bar := tqdm(experiments.items(), leave=False)):
        bar.set_description(name)
        rows += experiment()
    text = markdown(rows)
    (out / "measures.md").write_text(text, "utf8")
    print(f"{text}\n{printable(out / 'measures.md')}, and beside it")
    print("\n".join(printable(file) for file in sorted(out.glob("*.png"))))


if __name__ == "__main__":
    command_line.run(measures, Options, __doc__)
