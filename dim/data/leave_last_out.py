"""The last good film of each user held out, and what came before it."""

from dataclasses import dataclass

import numpy as np

from dim.data.movielens import Ratings

GOOD = 4.0
"""Stars from which on a film counts as rated well."""


@dataclass(frozen=True)
class Held:
    """What is to be found: one film for each of Q users, among all that he had not rated before."""

    user: np.ndarray  # [Q] int
    film: np.ndarray  # [Q] int, the target
    liked: list[np.ndarray]  # of each user, films rated well before, the latest last
    rated: list[np.ndarray]  # of each user, all films rated before


@dataclass(frozen=True)
class Split:
    """Every user's films in the order of time, cut before those that are held out."""

    liked: list[np.ndarray]  # U of films rated well, the latest last: what training sees
    rated: list[np.ndarray]  # U of films rated at all, as old
    val: Held
    test: Held


def leave_last_out(ratings: Ratings) -> Split:
    """Each user's last film rated well is the test, the one before it validation; older ratings train.

    Ratings of the same second come in a random order that is always the same: by their numbers, new
    films would come last. Users with fewer than three films rated well have nothing held out. What a user
    rated after a target belongs to nothing that is used to find it.
    """
    liked, rated, held = [], [], ([], [])
    for user, (films, marks) in enumerate(zip(*in_time(ratings), strict=True)):
        good = np.flatnonzero(marks >= GOOD)
        end = len(films)
        if len(good) > 2:
            for part, place in zip(held, good[-2:], strict=True):
                before = films[:place]
                part.append((user, films[place], before[marks[:place] >= GOOD], before))
            end = good[-2]
        rated.append(films[:end])
        liked.append(films[:end][marks[:end] >= GOOD])
    return Split(liked, rated, *map(_held, held))


def in_time(ratings: Ratings) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The films of each user in the order of time, U arrays, and their stars."""
    tie = np.random.default_rng(0).permutation(len(ratings.user))
    order = np.lexsort((tie, ratings.time, ratings.user))
    cuts = np.searchsorted(ratings.user, np.arange(1, len(ratings.users)))
    return np.split(ratings.film[order], cuts), np.split(ratings.stars[order], cuts)


def _held(rows: list[tuple]) -> Held:
    user, film, liked, rated = map(list, zip(*rows, strict=True)) if rows else ([], [], [], [])
    return Held(np.array(user, int), np.array(film, int), liked, rated)
