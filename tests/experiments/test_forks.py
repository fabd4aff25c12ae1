"""How the tests run the programs: most of them in a process that has Keras already."""

import pytest


@pytest.fixture
def fresh():
    return lambda name, *arguments, inside=(): "started anew"


def test_a_command_forks_unless_its_environment_is_another(command, monkeypatch):
    status, _, err = command("train", "--epoch", 3)
    assert status == 1 and "did you mean --epochs?" in err
    assert command("train", inside=["setsid"]) == "started anew"
    monkeypatch.setenv("KERAS_HOME", "elsewhere")
    assert command("train") == "started anew"
