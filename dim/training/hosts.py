"""One training by processes on several hosts, on JAX."""

import atexit
import hashlib
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import sleep
from typing import Any

from dim.backend import import_keras
from dim.errors import DimError
from dim.training.peers import ARRIVAL, SILENCE, Peers

_SIGNS = ("SLURM_STEP_NODELIST", "OMPI_MCA_orte_hnp_uri", "JOB_COMPLETION_INDEX")
_SIGNS += ("TPU_WORKER_HOSTNAMES", "TPU_PROCESS_ADDRESSES")
"""Variables of the environment where it may be one that JAX knows: Slurm, Open MPI, Kubernetes, a TPU pod."""


class Hosts:
    """The processes that train together. The first leads: it alone writes and prints. Here it is alone."""

    process, count = 0, 1

    @property
    def leads(self) -> bool:
        return self.process == 0

    def exchange(self, value: Any) -> list:
        """The values of all processes, in their order, once all have given theirs, as JSON holds them."""
        return [value]

    def wait(self) -> None:
        """Until all processes are here."""
        self.exchange(None)

    def agree(self, **settings: Any) -> None:
        """Raises DimError, in all processes, if what one calls by these names differs from process 0's."""
        first, *others = self.exchange(settings)
        for process, theirs in enumerate(others, 1):
            if differing := [name for name in first if first[name] != theirs.get(name)]:
                what = ", ".join(_difference(name, theirs.get(name), first[name]) for name in differing)
                raise DimError(
                    f"{self.named(process)} has {what}; give all hosts the same and start them again"
                )

    def named(self, process: int) -> str:
        return f"process {process}"


class Together(Hosts):
    """The same of several processes that have found each other."""

    def __init__(self, peers: Peers):
        self.peers, self.process, self.count = peers, peers.process, peers.count
        self.exchange = peers.exchange

    def named(self, process: int) -> str:
        return self.peers.names[process]


@contextmanager
def together(hosts: str = "", host: int | None = None) -> Iterator[Hosts]:
    """The processes of a training, this one alone or together with those on other hosts, until its end.

    They are `hosts`, addresses host0:port,host1:port of which this is number `host`, or without it what
    Slurm, Kubernetes or a TPU pod say in the environment. Where one process ends early all others do. Raises
    DimError if the addresses cannot be used, the backend is another than JAX, or not all come together.
    """
    found = _given(hosts, host) if hosts or host is not None else _announced()
    if found is None:
        yield Hosts()
        return
    address, count, process, local = found
    peers = Peers(address, count, process)
    try:
        _start_jax(peers, address, local)
        yield Together(peers)
        peers.part()
        _jax().distributed.shutdown()
    except BaseException as error:
        if isinstance(error, Exception) and not isinstance(error, DimError):
            sleep(
                SILENCE + 5
            )  # if it comes from the end of another process, that is noticed and said meanwhile
        peers.fail(
            f"stopped: {error}" if isinstance(error, DimError) else f"stopped by {type(error).__name__}"
        )
        atexit.register(_end_now)
        raise


def _end_now() -> None:
    """At the end of the interpreter JAX would wait for processes that have ended otherwise."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def version() -> dict[str, str]:
    """What decides over the outcome beside configuration and data."""
    import jax
    import keras

    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(file.read_bytes())
    return {"code of dim": digest.hexdigest()[:12], "Keras": keras.__version__, "JAX": jax.__version__}


def _given(hosts: str, host: int | None) -> tuple[str, int, int, None]:
    addresses = hosts.split(",")
    wanted = "--hosts is host0:port,host1:port,… and --host the number of this one, from 0"
    if len(addresses) < 2 or not all(_is_address(address) for address in addresses):
        raise DimError(f"{wanted}; --hosts {hosts or '(nothing)'} is not")
    if host is None or not 0 <= host < len(addresses):
        raise DimError(f"{wanted}; --host {'is missing' if host is None else f'{host} is none of them'}")
    _require_jax("--hosts")
    return addresses[0], len(addresses), host, None


def _is_address(address: str) -> bool:
    host, _, port = address.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 2**16


def _announced() -> tuple[str, int, int, list[int] | None] | None:
    """Address of process 0, how many there are, the number of this one and its devices, if JAX can tell."""
    if os.environ.get("KERAS_BACKEND") != "jax":
        return None
    if not any(sign in os.environ for sign in _SIGNS) and find_spec("libtpu") is None:
        return None
    import_keras()
    from jax._src.clusters import ClusterEnv  # jax.distributed itself asks it, and tells nobody the answer

    ask = ClusterEnv.auto_detect_unset_distributed_params
    try:
        address, count, process, local = ask(None, None, None, None, None, ARRIVAL)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise DimError(f"what the environment says of other hosts cannot be used: {reason}") from error
    return (address, count, process, local) if address and count and count > 1 else None


def _require_jax(option: str) -> None:
    import_keras()
    import keras

    if keras.backend.backend() != "jax":
        one = f"{keras.backend.backend()} trains on one device of one host"
        raise DimError(f"{option}: {one}; set KERAS_BACKEND=jax, which uses several")


def _start_jax(peers: Peers, address: str, local: list[int] | None) -> None:
    with socket.create_server(("", 0)) as free:
        port = free.getsockname()[1]
    first = f"{address.rpartition(':')[0]}:{peers.exchange(port)[0]}"
    how = {"cluster_detection_method": "deactivate", "initialization_timeout": 2 * ARRIVAL}
    try:
        _jax().distributed.initialize(first, peers.count, peers.process, local, **how)
    except RuntimeError as error:
        raise DimError(f"JAX cannot go to other hosts ({error}); start a new process for it") from error


def _jax():
    import_keras()
    import jax

    return jax


def _difference(name: str, theirs: Any, first: Any) -> str:
    if not isinstance(first, dict):
        return f"{name} {theirs!r}, not {first!r}"
    return ", ".join(
        _difference(key, theirs.get(key), first[key]) for key in first if theirs.get(key) != first[key]
    )
