"""Films that a user will like, found by the distance of two codes."""

import keras
import numpy as np
from keras import ops

from dim.choices import RECOMMENDATION_LOSSES
from dim.encoders.towers import FilmTower, UserTower
from dim.losses.recommendation import LOSSES
from dim.methods.learner import Learner

_AT_ONCE = 1000  # films or users


@keras.saving.register_keras_serializable("dim")
class TwoTowers(Learner):
    """Brings a user's code near that of the film that he rates well next, and away from those of others.

    Fit on batches of `dim.data.films.NextFilms`; calling it gives the codes [B, D] of their users. The films
    of a batch are each other's negatives. The terms in the logs are the mean cosines of true and of
    mismatched pairs.

    Args:
        encoder: the film tower.
        users: the user tower.
        loss_name: a key of `dim.losses.recommendation.LOSSES`; ValueError for any other.
        margin, temperature: of the loss `triplet`, and of the others.
    """

    def __init__(
        self, encoder: FilmTower, users: UserTower, loss_name="infonce", margin=0.2, temperature=0.1, **kwargs
    ):
        if loss_name not in LOSSES:
            raise ValueError(f"loss_name must be one of {RECOMMENDATION_LOSSES}, not {loss_name!r}")
        super().__init__(encoder, None, ("true_cosine", "mismatched_cosine"), **kwargs)
        self.users, self.loss_name, self.margin, self.temperature = users, loss_name, margin, temperature

    def build(self, input_shape=None):
        n, D = self.users.length, self.users.code_size
        if not self.encoder.built:
            self.encoder.build((None, n))
        if not self.users.built:
            self.users.build((None,), (None, n), (None, n, D))

    def call(self, x, training=False):
        return self.users(x["user"], x["history"], self.encoder(x["history"]))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss of a batch whose users have the codes `y_pred`."""
        cosines = ops.matmul(y_pred, ops.transpose(self.encoder(x["film"])))
        negatives = ops.cast(x["negatives"], "bool")
        true = ops.cast(ops.eye(ops.shape(cosines)[0]), "bool")
        for name, which in zip(self.terms, (true, negatives), strict=True):
            which = ops.cast(which, "float32")
            self.record(name, ops.sum(cosines * which) / ops.maximum(ops.sum(which), 1.0))
        setting = self.margin if self.loss_name == "triplet" else self.temperature
        return LOSSES[self.loss_name](cosines, negatives, ops.cast(x["log_share"], "float32"), setting)


def film_codes(model: TwoTowers) -> np.ndarray:
    """Codes [M, D] of all films, nearest by cosine to those of users who will like them."""
    numbers = np.arange(1, 1 + model.encoder.films)
    blocks = np.split(numbers, range(_AT_ONCE, len(numbers), _AT_ONCE))
    return np.concatenate([ops.convert_to_numpy(model.encoder(block)) for block in blocks])


def user_codes(model: TwoTowers, user: np.ndarray, history: np.ndarray) -> np.ndarray:
    """Codes [Q, D] of users [Q] with their last films [Q, n], all numbers from 1 on, 0 being none."""
    blocks = range(0, len(user), _AT_ONCE)
    codes = [
        ops.convert_to_numpy(model({"user": user[i : i + _AT_ONCE], "history": history[i : i + _AT_ONCE]}))
        for i in blocks
    ]
    return np.concatenate(codes)
