"""What somebody asks of a recommender: films for a user, and films like another."""

import re
from collections.abc import Callable

import numpy as np

from dim.data.films import windows
from dim.data.leave_last_out import GOOD, in_time
from dim.data.movielens import Ratings
from dim.errors import DimError
from dim.methods.two_towers import TwoTowers, film_codes, user_codes
from dim.names import did_you_mean, printable
from dim.search.nearest import nearest

_SHOWN = 10
_ARTICLE = re.compile(r"^(.+), (The|A|An)$")
_YEAR = re.compile(r"\s*\(\d{4}\)\s*$")


def question(user: int, title: str, ratings: Ratings) -> Callable[[TwoTowers], str]:
    """What to ask of a model for the answer; DimError now where there is no such user or film."""
    if title:
        film = find_film(title, ratings)
        return lambda model: like(model, film, ratings)
    if user not in ratings.users:
        near = did_you_mean(str(user), ratings.users)
        users = f"users are numbered from {ratings.users[0]} to {ratings.users[-1]}"
        raise DimError(f"{ratings.name} has no user {user}; {near}{users}")
    place = int(np.searchsorted(ratings.users, user))
    return lambda model: for_user(model, place, ratings)


def find_film(title: str, ratings: Ratings) -> int:
    """A film by its title, with the year or without, the article before or behind.

    Of several it is the one with most ratings. Raises DimError with a similar title where there is none.
    """
    wanted = _plain(title)
    names = [_plain(known) for known in ratings.titles]
    short = [_YEAR.sub("", name) for name in names]
    found = [i for i, each in enumerate(zip(names, short, strict=True)) if wanted in each]
    if not found:
        near = printable(did_you_mean(wanted, dict.fromkeys(short)))
        raise DimError(f"{ratings.name} has no film {title!r}; {near}titles are those of movies.csv")
    return max(found, key=np.bincount(ratings.film, minlength=len(names)).__getitem__)


def _plain(title: str) -> str:
    """In small letters, `Matrix, The (1999)` as `the matrix (1999)`."""
    year = _YEAR.search(title)
    name = _ARTICLE.sub(r"\2 \1", _YEAR.sub("", title).strip())
    return (name + (f" {year[0].strip()}" if year else "")).lower()


def like(model: TwoTowers, film: int, ratings: Ratings) -> str:
    """The nearest films by the cosine of their codes, as lines."""
    codes = film_codes(model)
    k = min(_SHOWN, len(codes) - 1)
    found = nearest(codes[[film]], codes, k, "cosine", np.array([film]))
    return f"like {printable(ratings.titles[film])}:\n" + _table(
        found.indices[0], found.distances[0], ratings
    )


def for_user(model: TwoTowers, user: int, ratings: Ratings) -> str:
    """The films that he rated well last, and the nearest to his code that he has not rated, as lines."""
    rated, stars = (column[user] for column in in_time(ratings))
    liked, codes = rated[stars >= GOOD], film_codes(model)
    code = user_codes(model, np.array([user + 1]), windows([liked], model.users.length))
    others = np.setdiff1d(np.arange(len(codes)), rated)
    last = (
        "\n".join(f"  {_described(film, ratings)}" for film in liked[: -_SHOWN - 1 : -1]) or "  nothing yet"
    )
    text = f"user {ratings.users[user]} liked last:\n{last}\n"
    if not len(others):
        return f"{text}and has rated all films"
    found = nearest(code, codes[others], min(_SHOWN, len(others)), "cosine")
    return f"{text}and would get:\n" + _table(others[found.indices[0]], found.distances[0], ratings)


def _table(films: np.ndarray, distances: np.ndarray, ratings: Ratings) -> str:
    rows = zip(films, distances, strict=True)
    return "\n".join(f"  {distance:.3f}  {_described(film, ratings)}" for film, distance in rows)


def _described(film: int, ratings: Ratings) -> str:
    genres = ", ".join(ratings.genres[film])
    return printable(ratings.titles[film] + (f"  [{genres}]" if genres else ""))
