import numpy as np

from dim.data.leave_last_out import leave_last_out
from dim.data.made_ratings import made_ratings


def test_they_say_that_they_are_made_up_and_are_always_the_same():
    one, other = made_ratings(), made_ratings()
    assert str(one) == "made-up: 3,000 ratings of 200 films by 120 users"
    assert one.fingerprint == other.fingerprint
    assert len(np.unique(one.user * 200 + one.film)) == 3000 and set(one.stars) <= {1, 2, 3, 4, 5}


def test_every_user_has_a_film_to_be_found():
    split = leave_last_out(made_ratings())
    assert len(split.val.user) == len(split.test.user) == 120
