"""Computes again what the sources claim about entropy, divergence, distance and mutual information.

Writes one figure or two a claim, and measures.md: each quantity, what its source says, what comes out here,
and where the source is wrong.
"""

from dataclasses import dataclass
from importlib import import_module

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

    from experiments.measures.row import markdown

    out = typed_path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    command_line.import_keras()
    claims = {
        "space_worms": {},
        "uniform_and_binomial": {"seed": options.seed},
        "two_directions": {},
        "breast_cancer": {"splits": options.splits, "seed": options.seed},
        "balls": {},
        "bounds": {"steps": options.steps, "seed": options.seed},
    }
    rows = []
    for name, settings in (bar := tqdm(claims.items(), leave=False)):
        bar.set_description(name.replace("_", " "))
        claim = import_module(f"experiments.measures.{name}")
        rows += getattr(claim, name)(out, **settings)
    text = markdown(rows)
    (out / "measures.md").write_text(text, "utf8")
    print(f"{text}\n{printable(out / 'measures.md')}, and beside it")
    print("\n".join(printable(file) for file in sorted(out.glob("*.png"))))


if __name__ == "__main__":
    command_line.run(measures, Options, __doc__)
