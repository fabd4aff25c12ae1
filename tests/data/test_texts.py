"""Collections are split by names, and what repeats a training text is not asked for."""

import numpy as np

from dim.data.texts import Texts, near_duplicates, split_by_name


def _texts(count=200, seed=0):
    rng = np.random.default_rng(seed)
    texts = [" ".join(f"w{i}" for i in rng.integers(0, 500, 12)) for _ in range(count)]
    return Texts(texts, np.arange(count) % 3, [f"text {i}" for i in range(count)])


def test_the_split_depends_on_the_names_alone():
    texts = _texts()
    whole = split_by_name("some", texts, "abc")
    order = np.random.default_rng(1).permutation(len(texts))
    shuffled = split_by_name("some", texts.rows(order), "abc")
    for part in "train", "test":
        assert set(getattr(whole, part).names) == set(getattr(shuffled, part).names)
    assert 0.3 < len(whole.test) / len(texts) < 0.5
    assert not set(whole.train.names) & set(whole.test.names)
    for part in whole.train, whole.test:  # texts, labels and names stay together
        for text, label, name in zip(part.texts, part.labels, part.names, strict=True):
            i = int(name.split()[1])
            assert (text, label) == (texts.texts[i], i % 3)


def test_test_texts_that_repeat_a_training_text_and_empty_ones_are_left_out():
    plain = split_by_name("some", _texts(), "abc")
    texts = _texts()
    of_train, of_test = (texts.names.index(part.names[0]) for part in (plain.train, plain.test))
    texts.texts[of_test] = texts.texts[of_train] + " w499"
    empty = texts.names.index(plain.train.names[1])
    texts.texts[empty] = " \n"
    found = split_by_name("some", texts, "abc")
    assert plain.test.names[0] not in found.test.names and len(found.test) == len(plain.test) - 1
    assert texts.names[empty] not in found.train.names and len(found.train) == len(plain.train) - 1
    assert "1 empty texts, 1 test texts" in str(found)


def test_near_duplicates_are_above_the_threshold():
    bank = ["one two three four", "five six seven eight"]
    asked = ["four three two one", "one two nine ten", "five six seven eight nine", ""]
    assert near_duplicates(asked, bank, above=0.8).tolist() == [True, False, True, False]
    assert near_duplicates([], bank).tolist() == []


def test_the_fingerprint_is_of_texts_labels_and_split():
    one = split_by_name("a", _texts(), "abc")
    assert one.fingerprint == split_by_name("b", _texts(), "xyz").fingerprint
    assert one.fingerprint != split_by_name("a", _texts(seed=1), "abc").fingerprint
