"""Everything that decides the outcome of a run of two towers."""

import math
from dataclasses import dataclass
from typing import Literal

from dim import choices
from dim.errors import DimError

_AT_LEAST_ONE = "epochs", "batch_size", "code_size", "history"
_POSITIVE = "learning_rate", "temperature"


@dataclass(frozen=True, kw_only=True)
class Training:
    """How two towers learn, whatever they are made of. DimError for what cannot be."""

    loss: Literal[choices.RECOMMENDATION_LOSSES] = "infonce"
    """What training lowers."""
    epochs: int = 10
    """Passes over the ratings of training. The only setting of an existing run that may be changed."""
    batch_size: int = 256
    """Ratings a step; their films are each other's negatives."""
    learning_rate: float = 2e-3
    """Learning rate of Adam."""
    code_size: int = 64
    """Length of the codes, D."""
    history: int = 10
    """How many of the last films rated well a user's code is made of, n."""
    temperature: float = 0.1
    """By which cosines are divided in the losses infonce and bpr."""
    margin: float = 0.2
    """By how much the loss triplet wants the cosine of the right film to be greater."""

    def __post_init__(self):
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise DimError(f"--{name.replace('_', '-')} must be at least 1, not {getattr(self, name)}")
        for name in _POSITIVE:
            if not 0 < getattr(self, name) < math.inf:
                raise DimError(f"--{name.replace('_', '-')} must be positive, not {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class Settings(Training):
    """The settings of a run."""

    towers: Literal[choices.TOWERS] = "both"
    """What a film's code is made of: its number, its content, or both."""
    seed: int = 0
    """Seed of the initial weights and of the order of the ratings."""
    content: str = ""
    """Fingerprint of the ratings."""
