"""MovieLens read as published, and each file that is not so in one line."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from dim.data.movielens import download_movielens, load_movielens

MOVIES = 'movieId,title,genres\n7,"Matrix, The (1999)",Action|Sci-Fi\n3,Éloge,(no genres listed)\n'
RATINGS = "userId,movieId,rating,timestamp\n10,7,4.5,200\n2,3,0.5,100\n10,3,3.0,100\n"


def zipped(file: Path, movies=MOVIES, ratings=RATINGS, folder="ml-latest-small/", end="\n") -> Path:
    with zipfile.ZipFile(file, "w") as written:
        for name, text in ("movies.csv", movies), ("ratings.csv", ratings):
            if text is not None:
                written.writestr(folder + name, text.replace("\n", end))
    return file


@pytest.fixture(scope="session")
def real_movielens() -> Path:
    where = os.environ.get("DIM_TEST_MOVIELENS", "")
    if not Path(where).is_file():
        pytest.skip("DIM_TEST_MOVIELENS is not set to ml-latest-small.zip of MovieLens")
    return Path(where).resolve()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_users_and_films_are_counted_from_0_in_the_order_of_their_numbers(end, tmp_path):
    ratings = load_movielens(zipped(tmp_path / "ml.zip", end=end))
    assert str(ratings) == "ml: 3 ratings of 2 films by 2 users"
    assert ratings.users.tolist() == [2, 10] and ratings.titles == ["Éloge", "Matrix, The (1999)"]
    assert ratings.genres == [[], ["Action", "Sci-Fi"]] and ratings.years.tolist() == [0, 1999]
    assert ratings.user.tolist() == [0, 1, 1] and ratings.film.tolist() == [0, 1, 0]
    assert ratings.stars.tolist() == [0.5, 4.5, 3.0] and ratings.time.tolist() == [100, 200, 100]


def test_a_folder_is_read_as_the_zip_is(tmp_path):
    (tmp_path / "movies.csv").write_text(MOVIES, "utf8")
    (tmp_path / "ratings.csv").write_text(RATINGS, "utf8")
    folder, archive = load_movielens(tmp_path), load_movielens(zipped(tmp_path / "ml.zip", folder=""))
    assert folder.fingerprint == archive.fingerprint and folder.titles == archive.titles


def test_another_rating_changes_the_fingerprint(tmp_path):
    one = load_movielens(zipped(tmp_path / "a.zip"))
    for changed in {"ratings": RATINGS.replace("4.5", "4.0")}, {"movies": MOVIES.replace("Action|", "")}:
        assert load_movielens(zipped(tmp_path / "b.zip", **changed)).fingerprint != one.fingerprint


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"ratings": None}, "ratings.csv: the zip has no such file"),
        ({"movies": ""}, "movies.csv has no rows"),
        ({"ratings": RATINGS.partition("\n")[0]}, "ratings.csv has no rows"),
        ({"ratings": RATINGS.replace("rating,", "stars,")}, "ratings.csv has no column rating"),
        ({"movies": MOVIES.replace("title", "name\x1b[2J")}, "movies.csv has no column title"),
        ({"ratings": RATINGS + "1,7\n"}, "line 5 of ratings.csv lacks a cell"),
        ({"ratings": RATINGS.replace("4.5", "good")}, "a number is none"),
        ({"ratings": RATINGS.replace("4.5", "nan")}, "a rating is not between 0.5 and 5.0 stars"),
        ({"ratings": RATINGS.replace("4.5", "50")}, "a rating is not between"),
        ({"ratings": RATINGS.replace("2,3,0.5", "2,8,0.5")}, "film 8 is rated and not in movies.csv"),
        ({"ratings": RATINGS + "10,7,1.0,300\n"}, "a user rates a film twice"),
        ({"movies": MOVIES + "7,Again,\n"}, "movies.csv has a film twice"),
    ],
)
def test_files_of_another_form_are_one_line(changed, complaint, tmp_path, refused):
    with refused("ml.zip cannot be used (", complaint, "as published"):
        load_movielens(zipped(tmp_path / "ml.zip", **changed))


def test_what_is_no_zip_is_cut_off_or_is_not_there_is_one_line(tmp_path, refused):
    (tmp_path / "text.zip").write_text("movieId")
    (tmp_path / "empty.zip").touch()
    (tmp_path / "cut.zip").write_bytes(zipped(tmp_path / "ml.zip").read_bytes()[:-30])
    (tmp_path / "folder").mkdir()
    for name in "text.zip", "empty.zip", "cut.zip", "folder", "nowhere.zip":
        with refused(f"{name} cannot be used (movies.csv: ", "as published"):
            load_movielens(tmp_path / name)
    (tmp_path / "folder/movies.csv").write_bytes(b"\xff\xfe\x00movieId")
    with refused("folder cannot be used (movies.csv: ", "decode"):
        load_movielens(tmp_path / "folder")


def test_a_download_of_other_content_is_removed(tmp_path, monkeypatch, refused):
    content = io.BytesIO(zipped(tmp_path / "other.zip").read_bytes()).getvalue()
    monkeypatch.setattr("dim.data.movielens.download", lambda url, file: file.write_bytes(content) and file)
    with refused("3 ratings of 2 films by 2 users, not 100,836 ratings of 9,742 films by 610 users"):
        download_movielens(tmp_path / "ml.zip")
    assert not (tmp_path / "ml.zip").exists()


def test_the_real_one_has_what_its_publisher_counts(real_movielens):
    assert download_movielens(real_movielens) == real_movielens
    ratings = load_movielens(real_movielens)
    assert ratings.titles[0] == "Toy Story (1995)" and ratings.years[0] == 1995
    assert np.bincount(ratings.user).min() == 20
