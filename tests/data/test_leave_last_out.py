"""What is held out is in nothing that comes before it."""

import numpy as np

from dim.data.leave_last_out import in_time, leave_last_out
from dim.data.made_ratings import made_ratings
from dim.data.movielens import Ratings


def of_user(*rows):
    """Ratings of one user: (film, stars, time)."""
    film, stars, time = map(np.array, zip(*rows, strict=True))
    columns = np.zeros(len(rows), int), film, stars.astype("float32"), time
    return Ratings("one", *columns, np.array([5]), [f"film {i}" for i in range(9)], [[]] * 9)


def test_the_last_two_that_were_rated_well_are_held_out_by_time_and_not_by_row():
    rows = (7, 4.0, 60), (3, 5.0, 20), (1, 4.0, 10), (4, 1.0, 30), (2, 4.5, 40), (8, 2.0, 50), (6, 3.5, 70)
    split = leave_last_out(of_user(*rows))
    assert split.test.film.tolist() == [7] and split.val.film.tolist() == [2]
    assert split.liked[0].tolist() == [1, 3] and split.rated[0].tolist() == [1, 3, 4]
    assert split.val.liked[0].tolist() == [1, 3] and split.val.rated[0].tolist() == [1, 3, 4]
    assert split.test.liked[0].tolist() == [1, 3, 2] and split.test.rated[0].tolist() == [1, 3, 4, 2, 8]


def test_users_with_less_than_three_have_nothing_held_out():
    split = leave_last_out(of_user((1, 4.0, 10), (2, 5.0, 20), (3, 3.5, 30)))
    assert not len(split.test.user) and not len(split.val.film)
    assert split.liked[0].tolist() == [1, 2] and split.rated[0].tolist() == [1, 2, 3]
    assert not len(leave_last_out(of_user((1, 3.5, 10))).liked[0])


def test_no_target_is_in_a_history_or_in_training():
    ratings = made_ratings()
    split, (films, _) = leave_last_out(ratings), in_time(ratings)
    for held in split.val, split.test:
        for user, film, liked, rated in zip(held.user, held.film, held.liked, held.rated, strict=True):
            assert film not in rated and film not in split.rated[user] and film not in split.liked[user]
            end = films[user].tolist().index(film)
            assert rated.tolist() == films[user][:end].tolist() and set(liked) <= set(rated)
    np.testing.assert_array_equal(split.val.user, split.test.user)
    assert (split.val.film != split.test.film).all()


def test_of_the_same_second_it_is_not_the_greatest_number_that_comes_last():
    last = [in_time(of_user(*((i, 4.0, 0) for i in films)))[0][0][-1] for films in ([0, 1, 2], [2, 1, 0])]
    assert last[0] != last[1]  # by row, wherever a film stands
    users = np.repeat(np.arange(300), 3)
    ratings = Ratings(
        "many", users, np.tile(np.arange(3), 300), np.full(900, 4.0), 0 * users, np.arange(300), [], []
    )
    count = np.bincount([films[-1] for films in in_time(ratings)[0]])
    assert count.min() > 60
    np.testing.assert_array_equal(in_time(ratings)[0], in_time(ratings)[0])
