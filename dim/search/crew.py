"""Who embeds on a Ray cluster: an actor with the encoder on every GPU or, without any, on every node."""

import os
import pickle
from collections import Counter
from time import monotonic
from typing import Any, NamedTuple

import numpy as np

from dim.data.rows import BATCH
from dim.errors import DimError
from dim.names import printable
from dim.search.embedder import Embed, codes_of

_TRIES = 5  # of a place, each ended by the end of its process
_SECONDS = 5  # between two looks at the nodes
_AT_ONCE = 2  # batches of one coder, so that it need not wait for the next


class Decoded(NamedTuple):
    """A batch of images, or reasons of failure, and the node that decoded it."""

    images: list[np.ndarray | str]
    node: str


class Given(NamedTuple):
    """A batch that is being embedded: by whom, and what Ray waits for."""

    coder: Any
    codes: Any


class Coder:
    """Embeds batches, one after the other, in a process of its own."""

    def __init__(self, embed: bytes, size: int):
        self.embed, self.size = embed, size

    def open(self) -> None:
        """Unpickles what embeds, and tries it on black images. Raises DimError if a library is missing."""
        os.environ.pop("OMP_NUM_THREADS", None)  # Ray allows one thread, and torch would obey
        try:
            self.embed = pickle.loads(self.embed)
            self.embed(np.zeros((BATCH, self.size, self.size, 3), "uint8"))
        except ImportError as error:
            reason = " ".join(str(error).split())
            raise DimError(f"node {node()}: {reason}; install requirements.txt there") from None

    def codes(self, decoded: Decoded) -> Decoded:
        """The same batch with a code [D] in place of every image."""
        return Decoded(codes_of(self.embed, self.size, decoded.images), decoded.node)


def node() -> str:
    """The address of the node that this runs on."""
    import ray

    return ray.util.get_node_ip_address()


class Lost(Exception):
    """What was asked for went with its process or node; `by_actor` if that was who was asked."""

    def __init__(self, error: Exception, by_actor: bool):
        super().__init__(" ".join(printable(str(error).strip().partition("\n")[0]).split())[:200])
        self.by_actor = by_actor


def result(reference):
    """What a task has given. Raises Lost, or what the task raised."""
    import ray
    from ray.exceptions import RayActorError, RayError, RayTaskError

    try:
        return ray.get(reference)
    except RayTaskError as error:
        if isinstance(error.cause, RayError):
            raise Lost(error.cause, by_actor=False) from error
        raise error.cause from None
    except RayError as error:
        raise Lost(error, isinstance(error, RayActorError)) from error


class Crew:
    """The coders that there are. What ends is replaced, and nodes that join get their own.

    `opening` has the coders that are not ready yet, by what Ray waits for.
    """

    def __init__(self, embed: Embed, size: int):
        import ray

        self.opening, self.processors, self._reason = {}, 0, ""
        self._made_of = ray.put(ray.cloudpickle.dumps(embed)), size
        self._places = {}  # of every coder: node and number of its GPU
        self._busy = Counter()  # batches of every coder that is ready
        self._failed = Counter()  # how often coders ended, by place
        self._looked = -_SECONDS

    def __len__(self) -> int:
        return len(self._places)

    def call_up(self) -> None:
        """Starts a coder wherever one is missing. Raises DimError if none can be kept anywhere."""
        if monotonic() < self._looked + _SECONDS:
            return
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

        self._looked = monotonic()
        held = {each["NodeID"]: each["Resources"] for each in ray.nodes() if each["Alive"]}
        self.processors = int(sum(has.get("CPU", 0) for has in held.values()))
        gpus = any(has.get("GPU", 0) >= 1 for has in held.values())
        places = {(name, i) for name in held for i in range(int(held[name].get("GPU", 0)) if gpus else 1)}
        for place in sorted(places - set(self._places.values())):
            if self._failed[place] < _TRIES:
                how = {"num_cpus": 0, "num_gpus": int(gpus), "scheduling_strategy": On(place[0], soft=False)}
                coder = ray.remote(Coder).options(**how).remote(*self._made_of)
                self._places[coder] = place
                self.opening[coder.open.remote()] = coder
        if not self._places:
            raise DimError(f"embedding ended {_TRIES} times on every node ({self._reason}); see Ray's logs")

    def ready(self, opening) -> None:
        """Takes in who has opened, and lets go who has ended meanwhile."""
        coder = self.opening.pop(opening)
        try:
            result(opening)
            self._busy[coder] = 0
        except Lost as lost:
            self.let_go(coder, lost)

    def give(self, decoded) -> Given | None:
        """Has a batch embedded, by what Ray waits for as it is decoded; None if all have enough to do."""
        coder = min(self._busy, key=self._busy.get, default=None)
        if coder is None or self._busy[coder] >= _AT_ONCE:
            return None
        self._busy[coder] += 1
        return Given(coder, coder.codes.remote(decoded))

    def done(self, coder) -> None:
        """A batch is, so that what ended before was not the fault of the place."""
        if coder in self._busy:
            self._busy[coder] -= 1
            self._failed.pop(self._places[coder], None)

    def let_go(self, coder, lost: Lost) -> None:
        """Has one replaced that has ended."""
        if coder in self._places:
            self._failed[self._places[coder]] += 1
            self._reason, self._looked = str(lost), -_SECONDS
            self._end(coder)

    def dismiss(self) -> None:
        """Ends all."""
        for coder in list(self._places):
            self._end(coder)

    def _end(self, coder) -> None:
        import ray

        del self._places[coder]
        self._busy.pop(coder, None)
        ray.kill(coder)
