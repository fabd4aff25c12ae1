"""The form of what is read back from JSON, checked in one place."""

from types import UnionType
from typing import Any, Literal, get_args, get_origin

_GREATEST = 1e300  # of an integer where a number is wanted, which may be computed with


def check(value: Any, form: Any, name: str = "it") -> None:
    """Compares a value with the form that it must have.

        str, int, float, bool, None     one of this kind; an integer is a float, too
        Literal["a", "b"], str | None   one of these
        ([int], None)                   one of these forms
        [str]                           a list of such
        {"k": int, "accuracy": dict}    a dictionary that has these names, and perhaps others
        {str: float}                    a dictionary of any names, all of whose values have this form

    Raises ValueError if it has another, and says so in a few words.
    """
    kind = type(form) if isinstance(form, list | dict) else form
    if not _has(value, kind):
        wanted = " or ".join(_word(each) for each in _kinds(kind))
        raise ValueError(f"{name} is {_short(value)}, not {wanted}")
    if isinstance(form, dict):
        for key, inner in form.items():
            if key is not str and key not in value:
                raise ValueError(f"there is no {key!r} in {name}")
            for found in value if key is str else [key]:
                check(value[found], inner, found)
    elif isinstance(form, list):
        for i, inner in enumerate(value):
            if not _has(inner, form[0]):
                check(inner, form[0], f"{name}[{i}]")


def _kinds(form) -> tuple:
    """The alternatives of a form."""
    if get_origin(form) in (Literal, UnionType):
        return get_args(form)
    return form if isinstance(form, tuple) else (form,)


def _has(value, form) -> bool:
    if isinstance(form, list | dict):
        try:
            check(value, form)
        except ValueError:
            return False
        return True
    if isinstance(form, type):
        if form is float and type(value) is int:
            return abs(value) < _GREATEST
        return isinstance(value, form) and (form in (bool, object) or not isinstance(value, bool))
    kinds = _kinds(form)
    if kinds == (form,):
        return type(value) is type(form) and value == form
    return any(_has(value, kind) for kind in kinds)


_WORDS = {str: "a text", int: "an integer", float: "a number", bool: "true or false"}
_WORDS |= {list: "a list", dict: "a dictionary", type(None): "null", None: "null"}


def _word(kind) -> str:
    if isinstance(kind, list | dict):
        return _WORDS[type(kind)]
    return _WORDS[kind] if kind is None or isinstance(kind, type) else repr(kind)


def _short(value) -> str:
    if isinstance(value, list | dict):
        return _WORDS[type(value)]
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
