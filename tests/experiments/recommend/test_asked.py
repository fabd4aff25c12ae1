"""Questions to a recommender, and those that cannot be answered."""

from dataclasses import replace

import numpy as np
import pytest

from dim.data.leave_last_out import leave_last_out
from dim.data.made_ratings import made_ratings
from dim.training.recommending import build_towers
from dim.training.tower_settings import Settings
from experiments.recommend.asked import find_film, question

MADE = made_ratings()
TITLES = [
    "Toy Story (1995)",
    "Matrix, The (1999)",
    "Heat (1986)",
    "Heat (1995)",
    "=1+1\x1b[2J",
    *MADE.titles[5:],
]
RATINGS = replace(MADE, titles=TITLES)


@pytest.fixture(scope="module")
def model():
    return build_towers(Settings(code_size=8), RATINGS, leave_last_out(RATINGS))


@pytest.mark.parametrize(
    ("title", "film"), [("Toy Story", 0), ("toy story (1995)", 0), ("The Matrix", 1), ("Matrix, The", 1)]
)
def test_a_film_is_found_as_people_write_it(title, film):
    assert find_film(title, RATINGS) == film


def test_of_two_films_it_is_the_one_with_more_ratings_unless_the_year_is_given():
    few = replace(RATINGS, film=np.where(RATINGS.film == 2, 3, RATINGS.film))
    assert find_film("Heat", few) == 3 and find_film("heat (1986)", few) == 2


def test_unknown_films_and_users_are_one_line_with_a_near_name(declined):
    with declined("made-up has no film 'Toy Stori'; did you mean toy story?"):
        question(0, "Toy Stori", RATINGS)
    with declined("has no user 1200; did you mean 120? users are numbered from 1 to 120"):
        question(1200, "", RATINGS)


def test_films_like_one_are_others_and_printable(model):
    head, *lines = question(0, "Toy Story", RATINGS)(model).splitlines()
    assert head == "like Toy Story (1995):" and len(lines) == 10
    assert not any("Toy Story (1995)" in line for line in lines)
    distances = [float(line.split()[0]) for line in lines]
    assert distances == sorted(distances)
    hostile = replace(RATINGS, titles=["=1+1\x1b[2J"] * 200)
    for everything in question(0, "=1+1\x1b[2J", hostile)(model), question(42, "", hostile)(model):
        assert "\x1b" not in everything and everything.count(r"=1+1\x1b[2J") > 10


def test_a_user_gets_what_he_has_not_rated(model):
    liked, would = question(42, "", RATINGS)(model).split("and would get:\n")
    own = {RATINGS.titles[film] for film in RATINGS.film[RATINGS.user == 41]}
    assert liked.startswith("user 42 liked last:\n") and len(liked.splitlines()) == 11
    assert all(line.strip().rpartition("  [")[0] in own for line in liked.splitlines()[1:])
    assert len(would.splitlines()) == 10
    assert not any(line.strip().partition("  ")[2].rpartition("  [")[0] in own for line in would.splitlines())


def test_a_user_who_liked_nothing_gets_something(model):
    grim = replace(RATINGS, stars=np.where(RATINGS.user == 41, 1, RATINGS.stars))
    liked, would = question(42, "", grim)(model).split("and would get:\n")
    assert "nothing yet" in liked and len(would.splitlines()) == 10
