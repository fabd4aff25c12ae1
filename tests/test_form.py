import re
from typing import Literal

import pytest

from dim.form import check

RESULTS = {"k": int, "accuracy": {str: {"cosine": float}}}


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ({"k": 5, "accuracy": {"code": {"cosine": 1, "l2": "any"}}, "more": None}, RESULTS),
        ([1, None, "a"], [(int, None, str)]),
        ([], [int]),
        ([[1, "a"]], [[(int, str)]]),
        ("b", Literal["a", "b"]),
        (2, Literal[1, 2]),
        (None, str | None),
        (float("nan"), float),
        ({"a": True}, {"a": object}),
        (None, ([int], None)),
        (True, bool),
    ],
)
def test_what_has_the_form_passes(value, form):
    check(value, form)


@pytest.mark.parametrize(
    ("value", "form", "complaint"),
    [
        ([], RESULTS, "it is a list, not a dictionary"),
        (None, RESULTS, "it is null, not a dictionary"),
        ({"k": 5}, RESULTS, "there is no 'accuracy' in it"),
        ({"k": "5", "accuracy": {}}, RESULTS, "k is '5', not an integer"),
        ({"k": True, "accuracy": {}}, RESULTS, "k is true, not an integer"),
        ({"k": 5, "accuracy": {"code": 0.5}}, RESULTS, "code is 0.5, not a dictionary"),
        ({"k": 5, "accuracy": {"code": {"cosine": 10**400}}}, RESULTS, "not a number"),
        ([1, "x"], [int], "it[1] is 'x', not an integer"),
        ("evil", Literal["a", "b"], "it is 'evil', not 'a' or 'b'"),
        (True, Literal[1, 2], "it is true, not 1 or 2"),
        (3, ([int], None), "it is 3, not a list or null"),
        ("x" * 999, int, f"it is '{'x' * 39}…, not an integer"),
    ],
)
def test_what_has_another_is_said_in_a_few_words(value, form, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)) as caught:
        check(value, form)
    assert len(str(caught.value)) < 100
