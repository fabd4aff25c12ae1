"""Deep InfoMax in Keras 3: features of images without labels (Hjelm et al., ICLR 2019)."""

from importlib import import_module

_HOME = {
    "Configuration": "dim.configuration",
    "DeepInfoMax": "dim.model",
    "DeepInfoMaxFeatures": "dim.features",
    "DimError": "dim.errors",
    "Run": "dim.runs",
    "build_model": "dim.build",
    "embed": "dim.embedding",
    "nearest": "dim.retrieval",
    "neighbour_grid": "dim.grids",
}
__all__ = sorted(_HOME)


def __getattr__(name: str):
    """Imports what is asked for when it is asked for: Keras takes seconds, `--help` should not."""
    if name not in _HOME:
        raise AttributeError(f"module 'dim' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
