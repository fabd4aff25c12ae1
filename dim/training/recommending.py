"""Trains two towers in a run's folder, or goes on with them."""

import keras
import numpy as np

from dim.data.films import NextFilms, counts, features, windows
from dim.data.leave_last_out import Held, Split
from dim.data.movielens import Ratings
from dim.encoders.towers import FilmTower, UserTower
from dim.evaluation.ranking import ranking_metrics, unrated
from dim.methods.two_towers import TwoTowers, film_codes, user_codes
from dim.training.loop import trained
from dim.training.run import Run
from dim.training.tower_settings import Settings


def train_towers(run: Run, settings: Settings, ratings: Ratings, split: Split) -> TwoTowers:
    """The model of a run, after the epochs that it lacks; it prints what it is and where it lies.

    Raises DimError if the folder holds another run, there are too few ratings, or the loss diverged.
    """
    films = len(ratings.titles)
    batches = NextFilms(split, films, settings.history, settings.batch_size, settings.seed)
    known = counts(split, films) > 0

    def numbers(model):
        found = measured(model, split.val, known)._asdict()
        return {name: value for name, value in found.items() if value is not None}

    def build():
        return build_towers(settings, ratings, split)

    return trained(run, settings, batches, build, numbers, f"towers by {settings.towers}", "ratings")


def build_towers(settings: Settings, ratings: Ratings, split: Split) -> TwoTowers:
    """Compiled, with the initial weights of its seed, which becomes Keras' own."""
    keras.utils.set_random_seed(settings.seed)
    keras.config.set_dtype_policy("float32")
    bags = features(ratings)
    films = FilmTower(len(bags) - 1, bags.shape[1], settings.code_size, settings.towers)
    users = UserTower(len(ratings.users), settings.code_size, settings.history)
    model = TwoTowers(films, users, settings.loss, settings.margin, settings.temperature)
    model.build()
    films.describe(bags, counts(split, len(ratings.titles)) > 0)
    model.compile(keras.optimizers.Adam(settings.learning_rate))
    model.optimizer.build(model.trainable_variables)
    return model


def scores_of(model: TwoTowers, user: np.ndarray, liked: list[np.ndarray]) -> np.ndarray:
    """Cosines [Q, M] of users [Q], counted from 0 on, with the films they liked, and of all films."""
    return user_codes(model, user + 1, windows(liked, model.users.length)) @ film_codes(model).T


def measured(model: TwoTowers, held: Held, known: np.ndarray):
    """Ranking metrics of a model."""
    return ranking_metrics(unrated(scores_of(model, held.user, held.liked), held.rated), held, known)
