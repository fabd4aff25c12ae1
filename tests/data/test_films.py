"""Batches of next films: what is in a row, and which films are no negatives of it."""

import numpy as np

from dim.data.films import BUCKETS, NextFilms, counts, features, interactions, windows
from dim.data.leave_last_out import leave_last_out
from dim.data.made_ratings import made_ratings
from dim.data.movielens import Ratings

RATINGS = made_ratings()
SPLIT = leave_last_out(RATINGS)
M, B, LENGTH = 200, 32, 4


def batches(**options):
    return NextFilms(SPLIT, M, LENGTH, B, seed=3, **options)


def all_rows():
    made = batches()
    for i in range(made.steps_per_epoch):
        yield made[i][0]


def test_films_with_words_or_genres_in_common_have_features_in_common():
    titles = ["Toy Story (1995)", "TOY story 2 (1999)", "Heat (1995)", "1984", ""]
    genres = [["Comedy"], ["Comedy", "Adventure"], ["Crime"], [], []]
    none = np.zeros(0, int)
    rows = features(Ratings("five", none, none, none, none, none, titles, genres))
    bags = [set(row[row > 0].tolist()) for row in rows]
    assert [len(bag) for bag in bags] == [0, 4, 6, 3, 1, 0]  # row 0 is of no film
    assert len(bags[1] & bags[2]) == 3 and len(bags[1] & bags[3]) == 1
    assert rows.max() <= BUCKETS


def test_windows_end_with_the_latest():
    liked = [np.array([5, 0, 7]), np.array([], int), np.array([1, 2, 3, 4, 5])]
    assert windows(liked, 4).tolist() == [[0, 6, 1, 8], [0, 0, 0, 0], [3, 4, 5, 6]]


def test_a_row_has_the_films_before_it_and_never_itself():
    seen = 0
    for batch in all_rows():
        for user, history, film in zip(batch["user"], batch["history"], batch["film"], strict=True):
            own = SPLIT.liked[user - 1].tolist()
            t = own.index(film - 1)
            assert [n - 1 for n in history if n] == own[max(0, t - LENGTH) : t]
            assert film not in history
            seen += 1
    assert seen == sum(map(len, SPLIT.liked)) // B * B


def test_what_a_user_chooses_or_chose_before_is_no_negative_and_all_else_is():
    own = later = 0
    for batch in all_rows():
        assert not batch["negatives"].diagonal().any()
        for i, (user, film) in enumerate(zip(batch["user"], batch["film"], strict=True)):
            liked = SPLIT.liked[user - 1].tolist()
            so_far = set(liked[: liked.index(film - 1) + 1])
            assert [other - 1 not in so_far for other in batch["film"]] == batch["negatives"][i].tolist()
            own += len(so_far & set(batch["film"] - 1)) - 1
            later += len((set(liked) - so_far) & set(batch["film"] - 1))
    assert own and later  # there were some of both


def test_what_is_held_out_is_in_no_batch():
    held = set()
    for part in SPLIT.val, SPLIT.test:
        held |= set(zip(part.user + 1, part.film + 1, strict=True))
    rows = [pair for batch in all_rows() for pair in zip(batch["user"], batch["film"], strict=True)]
    assert not held & set(rows)


def test_log_shares_are_those_of_the_films_in_training():
    batch, count = next(all_rows()), counts(SPLIT, M)
    np.testing.assert_allclose(np.exp(batch["log_share"]), count[batch["film"] - 1] / count.sum(), rtol=1e-5)


def test_a_batch_depends_on_seed_and_number_alone():
    made = batches()
    later = batches(first=made.steps_per_epoch + 2)
    assert made[made.steps_per_epoch + 2][0]["film"].tolist() == later[0][0]["film"].tolist()
    assert made[0][0]["film"].tolist() != made[made.steps_per_epoch][0]["film"].tolist()


def test_interactions_are_who_likes_what():
    matrix = interactions([np.array([2, 0]), np.array([], int)], 4)
    assert matrix.toarray().tolist() == [[1, 0, 1, 0], [0, 0, 0, 0]]
