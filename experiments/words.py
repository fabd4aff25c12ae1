"""Mistakes in the words of a command line, each said in one line; the parser would answer them in boxes."""

from dataclasses import fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from dim.errors import DimError
from dim.names import did_you_mean

_NUMBERS = {int: "a whole number", float: "a number"}


def check(words: list[str], options: type) -> None:
    """Makes sure that the parser will understand.

    Args:
        words: of the command line, without the program.
        options: a dataclass; fields that are dataclasses give their own fields.

    Raises:
        DimError: an option does not exist, lacks its value or cannot have it, or a word belongs to none.
    """
    kinds = {"--help": bool, "-h": bool, **_kinds(options)}
    waiting = ""  # the option that takes the next word
    for word in words:
        if word.startswith("--") or word == "-h":
            _refuse_missing(waiting, kinds)
            option, equals, value = word.partition("=")
            option = option.replace("_", "-")
            if option not in kinds:
                raise DimError(f"no option {option}; {did_you_mean(option, kinds)}--help lists them all")
            if equals:
                _check_value(option, value, kinds[option])
            waiting = "" if equals or kinds[option] is bool else option
        elif not waiting:
            option = f"--{word.partition('=')[0]}"
            hint = did_you_mean(option, kinds, cutoff=0.7)
            raise DimError(f"{word!r} belongs to no option; {hint}--help lists them all")
        else:
            _check_value(waiting, word, kinds[waiting])
            waiting = waiting if get_origin(kinds[waiting]) is tuple else ""
    _refuse_missing(waiting, kinds)


def _kinds(options: type) -> dict[str, Any]:
    """Option → type of its value."""
    hints, kinds = get_type_hints(options), {}
    for field in fields(options):
        kind = hints[field.name]
        kinds |= _kinds(kind) if is_dataclass(kind) else {"--" + field.name.replace("_", "-"): kind}
    return kinds


def _refuse_missing(option: str, kinds: dict[str, Any]) -> None:
    if option and get_origin(kinds[option]) is not tuple:
        raise DimError(f"{option} lacks its value; --help explains it")


def _check_value(option: str, value: str, kind: Any) -> None:
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    if kind is bool:
        raise DimError(f"{option} takes no value, not {value!r} either")
    if get_origin(kind) is Literal and value not in (choices := [str(choice) for choice in get_args(kind)]):
        hint = did_you_mean(value, choices, cutoff=0.3)
        raise DimError(f"{option} cannot be {value!r}; {hint}there are: {', '.join(choices)}")
    if kind in _NUMBERS:
        try:
            kind(value)
        except ValueError:
            raise DimError(f"{option} must be {_NUMBERS[kind]}, not {value!r}") from None
