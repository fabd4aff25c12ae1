"""The two towers: what a code is made of, cold films, unknown users, and how soon films are forgotten."""

import keras
import numpy as np
import pytest
from keras import ops

from dim.choices import TOWERS
from dim.encoders.towers import FilmTower, UserTower

M, F, D, U, N, B = 6, 3, 5, 4, 3, 2
BAGS = np.array([[0, 0, 0], [1, 2, 3], [1, 2, 0], [4, 0, 0], [1, 2, 0], [0, 0, 0], [7, 8, 9]])
KNOWN = np.array([True, True, True, False, True, True])  # film number 4 has no rating


def film_tower(by):
    keras.utils.set_random_seed(0)
    tower = FilmTower(M, F, D, by)
    tower.build((None, N))
    tower.describe(BAGS, KNOWN)
    return tower


def user_tower():
    keras.utils.set_random_seed(1)
    tower = UserTower(U, D, N)
    tower.build((B,), (B, N), (B, N, D))
    tower.place.assign([0.1, 0.2, 0.7])
    return tower


def array(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("by", TOWERS)
def test_a_code_is_that_of_a_loop(by):
    tower, films = film_tower(by), np.array([[1, 2, 3], [4, 5, 6]])
    codes = array(tower(films))
    assert codes.shape == (2, 3, D)
    for film, code in zip(films.ravel(), codes.reshape(-1, D), strict=True):
        vector = np.zeros(D)
        if by != "content" and KNOWN[film - 1]:
            vector += array(tower.number)[film]
        if by != "ids" and (own := BAGS[film][BAGS[film] > 0]).size:
            vector += array(tower.feature)[own].sum(axis=0) / np.sqrt(len(own))
        length = np.linalg.norm(vector)
        np.testing.assert_allclose(code, vector / length if length else 0 * vector, rtol=1e-4, atol=1e-6)


def test_a_cold_film_has_the_code_of_its_content_or_none():
    codes = {by: array(film_tower(by)(np.array([[2, 4]])))[0] for by in TOWERS}
    assert not codes["ids"][1].any() and codes["ids"][0].any()
    np.testing.assert_array_equal(*codes["content"])  # films 2 and 4 have the same features
    assert np.linalg.norm(codes["both"][1]) == pytest.approx(1, rel=1e-5)
    assert np.abs(codes["both"][0] - codes["both"][1]).max() > 0.01


def test_a_user_is_who_he_is_and_what_he_liked_the_latest_most():
    tower, rng = user_tower(), np.random.default_rng(0)
    codes = rng.normal(size=(B, N, D)).astype("float32")
    user, history = np.array([3, 0]), np.array([[0, 5, 1], [0, 0, 0]])
    found = array(tower(user, history, codes))
    weights = np.exp([0.2, 0.7]) / np.exp([0.2, 0.7]).sum()
    vector = array(tower.everybody) + array(tower.number)[3] + weights @ codes[0, 1:]
    np.testing.assert_allclose(found[0], vector / np.linalg.norm(vector), rtol=1e-4, atol=1e-6)
    everybody = array(tower.everybody)  # an unknown user without a history
    np.testing.assert_allclose(found[1], everybody / np.linalg.norm(everybody), rtol=1e-4, atol=1e-6)


def test_gradient_reaches_every_table_and_not_the_number_of_a_cold_film(gradient):
    tower = film_tower("both")
    fixed = [array(w) for w in tower.non_trainable_variables]
    for which, table in enumerate((tower.number, tower.feature)):

        def loss(x, which=which):
            tables = [1.0 * x if i == which else array(w) for i, w in enumerate(tower.trainable_variables)]
            codes, _ = tower.stateless_call(tables, fixed, np.array([[1, 4, 6]]))
            return ops.sum(codes * ops.reshape(ops.arange(3 * D, dtype="float32"), (1, 3, D)))

        slope = gradient(loss, array(table))
        assert slope[[1, 6] if which == 0 else [1, 2, 3, 7, 8, 9]].any(axis=1).all()
        assert which or not slope[4].any()


def test_a_saved_tower_knows_its_films(tmp_path):
    film = keras.Input((N,), B, dtype="int32")
    user = keras.Input((), B, dtype="int32")
    films, users = film_tower("both"), user_tower()
    model = keras.Model([user, film], users(user, film, films(film)))
    given = np.array([1, 2]), np.array([[0, 1, 2], [3, 4, 6]])
    model.save(tmp_path / "towers.keras")
    twin = keras.saving.load_model(tmp_path / "towers.keras")
    np.testing.assert_allclose(array(model(given)), array(twin(given)), rtol=1e-6)


def test_a_tower_of_nothing_is_refused():
    with pytest.raises(ValueError, match="by must be one of"):
        FilmTower(M, F, D, "genre")
