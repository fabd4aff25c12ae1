"""The download program on what can go wrong without a network."""


def test_a_file_that_is_not_the_official_archive_is_removed(refused, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    part = folder / "tiny-imagenet-200.zip.part"
    with part.open("wb") as file:
        file.truncate(248_100_043)
    complaint = refused("download")
    assert "was not the official archive" in complaint and "md5" in complaint
    assert not part.exists()


def test_movielens_is_checked_by_its_content(refused, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/ml-latest-small.zip").write_text("sign in first")
    assert "ml-latest-small.zip cannot be used (movies.csv: " in refused("download", "--data", "movielens")


def test_sentence_pairs_are_checked_by_their_content(refused, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/Stsbenchmark.tar.gz").write_text("sign in first")
    assert "Stsbenchmark.tar.gz is no archive" in refused("download", "--data", "stsbenchmark")
