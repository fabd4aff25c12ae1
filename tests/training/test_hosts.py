"""What is said of other hosts, and what has to be the same on all of them."""

import keras
import pytest

import dim
from dim.training.hosts import Hosts, together, version

JAX = keras.backend.backend() == "jax"


class Two(Hosts):
    """Process 0 of two, and what the other says."""

    count = 2

    def __init__(self, theirs):
        self.theirs = theirs

    def exchange(self, value):
        return [value, self.theirs]


def test_alone_there_is_nothing_to_wait_for():
    with together() as team:
        team.wait()
        team.agree(epochs=2)
        assert team.leads and team.count == 1 and team.exchange("this") == ["this"]


@pytest.mark.parametrize(
    ("hosts", "host", "what"),
    [
        ("here:1234", 0, "--hosts here:1234 is not"),
        ("here,there", 0, "--hosts here,there is not"),
        ("here:1,there:70000", 0, "is not"),
        ("", 1, "--hosts (nothing) is not"),
        ("here:1,there:1", None, "--host is missing"),
        ("here:1,there:1", 2, "--host 2 is none of them"),
        ("here:1,there:1", -1, "--host -1 is none of them"),
    ],
)
def test_addresses_that_cannot_be_used_are_declined(hosts, host, what, declined):
    with declined(what, "host0:port,host1:port"), together(hosts, host):
        pass


@pytest.mark.skipif(JAX, reason="JAX goes to other hosts")
def test_other_backends_say_which_one_does(declined):
    with declined("--hosts", keras.backend.backend(), "set KERAS_BACKEND=jax"):
        dim.train(hosts="here:1,there:1", host=0)


def test_what_differs_between_hosts_is_declined_by_name(declined):
    ours = {"epochs": 2, "data": "abc", "version": {"JAX": "1", "Keras": "2"}}
    Two(dict(ours)).agree(**ours)
    with declined("process 1 has epochs 3, not 2", "give all hosts the same"):
        Two({**ours, "epochs": 3}).agree(**ours)
    with declined("process 1 has JAX '0', not '1';"):
        Two({**ours, "version": {"JAX": "0", "Keras": "2"}}).agree(**ours)
    with declined("data 'other', not 'abc'"):
        Two({**ours, "data": "other"}).agree(**ours)


@pytest.mark.skipif(not JAX, reason="of JAX")
def test_a_version_is_code_and_libraries():
    assert set(version()) == {"code of dim", "Keras", "JAX"} and len(version()["code of dim"]) == 12
