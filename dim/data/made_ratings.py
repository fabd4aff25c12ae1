"""Ratings that nobody gave, so that a recommender can be tried without a download."""

import numpy as np

from dim.data.movielens import Ratings

MADE = "made-up"
_KINDS = {
    "Comedy": ("Love", "Wedding", "Holiday", "Trouble"),
    "Horror": ("Night", "Blood", "Grave", "Scream"),
    "Western": ("Rider", "Canyon", "Sheriff", "Dust"),
    "Sci-Fi": ("Star", "Robot", "Planet", "Signal"),
    "Musical": ("Song", "Stage", "Rhythm", "Dance"),
}
_FILMS, _USERS, _RATED = 40, 120, 25  # films of a kind, users, ratings of each
_STEP = 60  # seconds


def made_ratings() -> Ratings:
    """Users who like films of one kind, and of that kind those made in the years around their last.

    200 films, 120 users and 3,000 ratings, always the same ones.
    """
    rng = np.random.default_rng(0)
    kinds = [kind for kind in _KINDS for _ in range(_FILMS)]
    years = np.tile(np.arange(1980, 1980 + _FILMS), len(_KINDS))
    titles = [
        f"{' '.join(rng.permutation(_KINDS[kind])[:2])} {i} ({year})"
        for i, (kind, year) in enumerate(zip(kinds, years, strict=True))
    ]
    film, stars = [], []
    for _ in range(_USERS):
        own, year = rng.integers(len(_KINDS)), rng.integers(_FILMS)
        unseen = np.ones(len(kinds), bool)
        for _ in range(_RATED):
            strays = rng.random() < 0.2
            kind = rng.integers(len(_KINDS)) if strays else own
            near = np.abs(np.arange(_FILMS) - (year := (year + rng.integers(-2, 3)) % _FILMS))
            of_kind = np.arange(_FILMS) + kind * _FILMS
            film.append(of_kind[np.argmin(near + 1000 * ~unseen[of_kind])])
            stars.append(rng.integers(1, 4) if strays else rng.integers(4, 6))
            unseen[film[-1]] = False
    user = np.repeat(np.arange(_USERS), _RATED)
    time = _STEP * np.tile(np.arange(_RATED), _USERS)
    given = user, np.array(film), np.array(stars, "float32"), time, np.arange(1, _USERS + 1)
    return Ratings(MADE, *given, titles, [[kind] for kind in kinds])
