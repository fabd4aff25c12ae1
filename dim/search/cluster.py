"""Ray for as long as it is needed: on this machine, or on the cluster that it belongs to.

It needs ray: requirements-cluster.txt. Nothing is sent to its makers, and no dashboard is opened.
"""

import logging
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from dim.errors import DimError
from dim.names import printable

_ADDRESS = re.compile(r"[^:/\s]+:[0-9]{1,5}")
_SECONDS = 10  # until a port must answer
_MORE_SECONDS = 45  # until Ray behind it must
_REMEDY = "see that Ray runs there (ray status), and that this machine is one of its nodes"
_CODE = Path(__file__).parents[1]
_PROBE = "import logging, sys, ray; ray.init(sys.argv[1], logging_level=logging.ERROR, log_to_driver=False)"


def check(address: str) -> None:
    """Raises DimError if Ray is not installed, or this cannot be the address of a cluster."""
    if find_spec("ray") is None:
        raise DimError("ray is not installed; pip install -r requirements-cluster.txt")
    if address and not (_ADDRESS.fullmatch(address) and int(address.rpartition(":")[2]) < 2**16):
        raise DimError(f"{address} is no address of a cluster; give host:port of its head")


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Ray at host:port, or without an address Ray of this machine, which ends with this.

    Whoever works there is sent this code, and takes the same backend of Keras. Raises DimError if Ray does
    not start here, or within a minute if nobody answers there.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address:
        _probe(address)
    here = {name: os.environ[name] for name in ("KERAS_BACKEND",) if name in os.environ}
    environment = {"env_vars": {"TF_CPP_MIN_LOG_LEVEL": "3", **here}, "py_modules": [str(_CODE)]}
    import ray

    ended = signal.getsignal(signal.SIGTERM)
    try:
        _start(address or "local", environment)
        signal.signal(signal.SIGTERM, ended)  # Ray would end the program by it
        yield
    finally:
        ray.shutdown()
        signal.signal(signal.SIGTERM, ended)


def _start(address: str, environment: dict) -> None:
    import ray

    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
    try:
        ray.init(address, runtime_env=environment, **quiet)
    except Exception as error:  # in many ways
        reason = printable(" ".join(str(error).split()))[:200]
        raise DimError(f"Ray does not start ({reason}); its logs are in /tmp/ray/session_latest") from error


def _probe(address: str) -> None:
    """In a process of its own, since Ray ends the process that finds nobody."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _SECONDS).close()
        command = [sys.executable, "-c", _PROBE, address]
        found = subprocess.run(command, capture_output=True, text=True, timeout=_MORE_SECONDS)
    except subprocess.TimeoutExpired:
        raise _unreachable(address, f"no answer of Ray within {_MORE_SECONDS} s") from None
    except OSError as error:
        raise _unreachable(address, error.strerror or str(error)) from error
    if found.returncode:
        said = [line for line in found.stderr.splitlines() if line.strip()]
        raise _unreachable(address, said[-1] if said else f"status {found.returncode}")


def _unreachable(address: str, reason: str) -> DimError:
    return DimError(f"no Ray cluster at {address} ({printable(' '.join(reason.split()))[:200]}); {_REMEDY}")
