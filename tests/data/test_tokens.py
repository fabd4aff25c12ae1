"""Texts become numbers, the same everywhere; nothing but padding is 0."""

import subprocess
import sys

import numpy as np
import pytest

from dim.data.tokens import TOKENS, number, once, padded, tokenised, with_pieces, words


def test_words_are_runs_of_letters_of_any_script_in_lower_case():
    assert words("The cat's 2 mats, ÉTÉ — Привет_мир 猫!") == [
        "the",
        "cat",
        "s",
        "2",
        "mats",
        "été",
        "привет_мир",
        "猫",
    ]
    assert words(" \n$ … ") == []


def test_words_once_stand_where_they_come_first():
    assert once("The cat and the Cat's mat") == ["the", "cat", "and", "s", "mat"]
    assert once("") == []


def test_pieces_have_three_to_five_letters_and_the_ends_of_the_word():
    assert with_pieces("Cats") == [
        "cats",
        "<ca",
        "cat",
        "ats",
        "ts>",
        "<cat",
        "cats",
        "ats>",
        "<cats",
        "cats>",
    ]


def test_numbers_are_from_one_on_and_do_not_depend_on_the_process():
    tokens = [f"word{i}" for i in range(2000)]
    numbers = [number(token) for token in tokens]
    assert min(numbers) >= 1 and max(numbers) < TOKENS and len(set(numbers)) > 1900
    program = "from dim.data.tokens import number; print(number('word7'), number('猫'))"
    other = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "5", "PYTHONPATH": ":".join(sys.path)},
    )
    assert other.stdout.split() == [str(number("word7")), str(number("猫"))]


def test_texts_are_cut_and_padded():
    found = tokenised(["a b c d", "b", "", "\udcff"], 3)
    a, b, c = (number(x) for x in "abc")
    assert found.dtype == "int32"
    np.testing.assert_array_equal(found[:3], [[a, b, c], [b, 0, 0], [0, 0, 0]])
    assert found[3].sum() == 0 or found[3, 0] > 0
    np.testing.assert_array_equal(tokenised(["cats"], 2, with_pieces), [[number("cats"), number("<ca")]])


@pytest.mark.parametrize("rows", [[], [[]]])
def test_no_rows_and_empty_rows_are_arrays(rows):
    assert padded(rows, 4).shape == (len(rows), 4)
