"""Mistakes on the command line: one line each, with the nearest that exists."""

import pytest

from experiments import train
from experiments.compare.__main__ import Options as Compare
from experiments.evaluate.__main__ import Options as Evaluate
from experiments.words import check


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("--epochs abc", "--epochs must be a whole number, not 'abc'"),
        ("--epochs=3.5", "--epochs must be a whole number, not '3.5'"),
        ("--epochs", "--epochs lacks its value"),
        ("--epochs --gamma 1", "--epochs lacks its value"),
        ("--epochs 3 4", "'4' belongs to no option"),
        ("--learning-rate x", "--learning-rate must be a number, not 'x'"),
        (
            "--objective infonse",
            "--objective cannot be 'infonse'; did you mean infonce? there are: infonce, jsd",
        ),
        ("--views 3", "--views cannot be '3'; there are: 1, 2"),
        ("epochs=3", "'epochs=3' belongs to no option; did you mean --epochs?"),
        ("stray", "'stray' belongs to no option"),
        ("-x", "'-x' belongs to no option"),
        ("--epoch 3", "no option --epoch; did you mean --epochs?"),
        ("--help=3", "--help takes no value"),
    ],
)
def test_a_mistake_is_answered_in_one_line(words, answer, declined):
    with declined(answer):
        check(words.split(), train.Options)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("--metrics l2 l3", "--metrics cannot be 'l3'; did you mean"),
        ("--quick yes", "'yes' belongs to no option"),
    ],
)
def test_each_of_several_values_and_switches_are_looked_at(words, answer, declined):
    with declined(answer):
        check(words.split(), Evaluate)


def test_what_the_parser_understands_passes():
    check(
        ["--epochs", "3", "--batch_size=20", "--run=-x", "--data", "a b", "--learning-rate", "-1", "-h"],
        train.Options,
    )
    check(["--seeds", "0", "1", "--presets", "--args=--views 1"], Compare)
    check(["--metrics", "l2", "cosine", "--quick"], Evaluate)
