"""Deep InfoMax in Keras 3: features of images without labels (Hjelm et al., ICLR 2019)."""

from importlib import import_module

_HOME = {
    "Configuration": "dim.configuration",
    "DeepInfoMax": "dim.methods.deep_infomax",
    "DeepInfoMaxFeatures": "dim.export.transformer",
    "DimError": "dim.errors",
    "Index": "dim.export.image_index",
    "Run": "dim.training.run",
    "build_model": "dim.methods.build",
    "embed": "dim.encoders.embedding",
    "nearest": "dim.search.nearest",
    "neighbour_grid": "dim.pictures.grid",
    "pretrained": "dim.training.pretrained",
    "train": "dim.training.fit",
}
_ROOMS = ("data", "measures")
__all__ = sorted([*_HOME, *_ROOMS])


def __getattr__(name: str):
    """Imports what is asked for when it is asked for: Keras takes seconds, `--help` should not."""
    if name in _ROOMS:
        return import_module(f"dim.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'dim' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
