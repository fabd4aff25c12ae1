"""Trains an encoder of texts in a run's folder, or goes on with it."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import keras
import numpy as np

from dim import choices
from dim.data.batches import Batches
from dim.data.class_batches import ClassBatches
from dim.data.tokens import once, tokenised, with_pieces, words
from dim.encoders.text import start_from_svd, text_encoder, weigh_by_rarity
from dim.errors import DimError
from dim.layers.critics import EncodeAndDot
from dim.layers.tokens import RandomWindow
from dim.methods import DeepInfoMax, MetricLearning, Siamese, Supervised
from dim.training.loop import trained
from dim.training.run import Run

_POSITIVE = "epochs", "batch_size", "code_size", "length", "window", "learning_rate", "temperature"


@dataclass(frozen=True, kw_only=True)
class TextSettings:
    """Everything that decides the outcome of a run on texts."""

    method: Literal[choices.TEXT_METHODS] = "dim"
    """What trains the encoder: Deep InfoMax without labels, cross-entropy or metric learning with them, or
    graded pairs."""
    loss: Literal[(*choices.LOSSES, *choices.GRADED)] = "supcon"
    """What metric learning, or a Siamese model, lowers."""
    epochs: int = 8
    """Passes over the texts. The only setting of an existing run that may be changed."""
    batch_size: int = 100
    """Texts, or pairs, a step."""
    learning_rate: float = 1e-3
    """Of Adam."""
    temperature: float = 0.1
    """Of the losses that have one."""
    margin: float = 0.2
    """Of the losses that have one."""
    code_size: int = 256
    """Length of the code, D."""
    length: int = 256
    """Tokens that are read of a text, T."""
    window: int = 32
    """Tokens of a view, of which Deep InfoMax takes two of each text."""
    context: bool = True
    """Look at the tokens around each; without it each word of a text is read once, as order says nothing."""
    pieces: bool = False
    """Take pieces of words, too; their order says nothing, so that no context is looked at."""
    svd: bool = False
    """Start from the singular vectors of the training texts, in place of at random."""
    dropout: float = 0.3
    """Share of the tokens that training leaves out."""
    seed: int = 0
    """Of initial weights, the order of the texts, views and dropout."""
    content: str = ""
    """Fingerprint of the data."""

    def __post_init__(self):
        for name in _POSITIVE:
            if not 0 < getattr(self, name) < np.inf:
                raise DimError(f"--{name.replace('_', '-')} must be positive, not {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise DimError(f"--dropout must be at least 0 and below 1, not {self.dropout}")

    def tokens(self, texts) -> np.ndarray:
        """[N, T] int32 of N texts."""
        split = with_pieces if self.pieces else words if self.context else once
        return tokenised(texts, self.length, split)


def train_texts(run: Run, s: TextSettings, tokens: np.ndarray, targets: np.ndarray | None, numbers):
    """The model of a run after the epochs that it lacks; prints what it is and where it lies.

    Args:
        run: of `TextSettings`.
        tokens: [N, T] int32 of texts, or [N, 2, T] of pairs for the method siamese.
        targets: [N] labels, or grades of pairs; Deep InfoMax does not see them.
        numbers: as of `Look`.

    Raises DimError if the folder holds another run, there are too few texts, or the loss diverged.
    """

    def build():
        classes = 0 if s.method == "siamese" else int(np.max(targets)) + 1
        return build_text_model(s, tokens, classes)

    batches = _batches(s, tokens, targets)
    return trained(run, s, batches, build, numbers, f"{s.method} on texts", "texts")


def build_text_model(s: TextSettings, tokens: np.ndarray, classes: int) -> keras.Model:
    """Compiled, with the initial weights of its seed, which becomes Keras' own."""
    keras.utils.set_random_seed(s.seed)
    keras.config.set_dtype_policy("float32")
    encoder = text_encoder(s.code_size, context=s.context and not s.pieces, dropout=s.dropout, seed=s.seed)
    start = partial(start_from_svd, seed=s.seed) if s.svd else weigh_by_rarity
    start(encoder, tokens.reshape(-1, tokens.shape[-1]))
    if s.method == "siamese":
        model = Siamese(encoder, s.loss, s.temperature)
    elif s.method == "metric":
        model = MetricLearning(encoder, s.loss, s.margin, s.temperature)
    elif s.method == "supervised":
        model = Supervised(encoder, classes)
    else:
        views, critic = RandomWindow(s.window, seed=s.seed), EncodeAndDot(s.code_size)
        model = DeepInfoMax(encoder, critic, None, augmentation=views)
    model.build((None, *tokens.shape[1:]))
    model.compile(keras.optimizers.Adam(s.learning_rate))
    model.optimizer.build(model.trainable_variables)
    return model


def _batches(s: TextSettings, tokens: np.ndarray, targets: np.ndarray | None) -> Batches:
    if s.method == "metric":
        classes = min(len(np.unique(targets)), max(2, s.batch_size // 5))
        return ClassBatches(tokens, targets, classes, max(2, s.batch_size // classes), s.seed)
    return Batches(tokens, s.batch_size, s.seed, labels=None if s.method == "dim" else targets)
