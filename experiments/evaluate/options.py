"""Options of `evaluate`, and what they refer to."""

from dataclasses import dataclass

from dim.data import Dataset
from dim.errors import DimError
from dim.search.nearest import Metric
from dim.training.run import Run


@dataclass(frozen=True)
class Options:
    """Options of `evaluate`."""

    run: str = ""
    """Name of the folder in runs/ (or a path); several with commas between give mean ± standard deviation
    in evaluations.md beside them. By default the run trained last."""
    data: str = ""
    """Another data set than the one the run was trained on."""
    quick: bool = False
    """Neighbours, retrieval, clusters and gauges alone; no probes, no dependence."""
    svm: bool = False
    """Linear support vector machines too; they take minutes."""
    metrics: tuple[Metric, ...] = ("l2", "cosine")
    """Distances of the retrieval metrics."""
    supervised: str = ""
    """A run with PRESET=supervised on the same data, to stand beside."""
    seed: int = 0
    """Of everything random in the evaluation."""


def dataset_of(run: Run, options: Options) -> Dataset:
    """The images on which a run is evaluated; DimError if they or a run cannot be used."""
    configuration = run.configuration()
    if not run.has_learned:
        raise DimError(f"{run.path} has no checkpoint yet; train it: make train RUN={run.name}")
    if options.supervised:
        other = Run(options.supervised)
        theirs = other.configuration()
        if theirs.method != "supervised":
            remedy = "train one: make train PRESET=supervised"
            raise DimError(f"{other.path} is a run of {theirs.method}; {remedy}")
        if any(getattr(theirs, n) != getattr(configuration, n) for n in ("data", "image_size", "tune")):
            raise DimError(f"{other.path} was trained on other images than {run.path}; train one on the same")
    return run.dataset(options.data)
