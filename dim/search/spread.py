"""Embedding by Ray: batches are decoded by every processor of a cluster and embedded by its coders.

By Ray's tasks and actors, not by Ray Data. A batch here is the very batch that would be embedded without
Ray, with every image in the same place of it, so that its codes are the same to the bit. Batches come back in
their order, so that one file and its note of progress hold them, and what was interrupted goes on with Ray or
without. Ray Data cuts blocks of its own, and begins anew.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from heapq import heappop, heappush
from typing import Any

from dim.data.dataset import Recipe
from dim.data.decoding import image_or_reason
from dim.data.rows import BATCH
from dim.errors import DimError
from dim.names import printable
from dim.search import cluster
from dim.search.crew import Crew, Decoded, Lost, node, result
from dim.search.embedder import Coded, Embed

_TRIES = 5  # of a batch, each ended by the end of a process or node
_BEGUN = 4  # batches for each processor and coder, most of them done and waiting for an earlier one
_SECONDS = 5  # of waiting, until nodes are looked at again


def on_ray(address: str) -> Callable[[Recipe, int, Embed, int], Coded]:
    """What does as `dim.search.embedder.coded_here`, on a cluster or, without an address, by Ray here.

    Raises DimError if Ray is not installed, or this cannot be an address.
    """
    cluster.check(address)
    return partial(_connected, address)


def _connected(address: str, recipe: Recipe, first: int, embed: Embed, size: int) -> Coded:
    with cluster.connected(address), closing(coded_by_ray(recipe, first, embed, size)) as batches:
        yield from batches


def coded_by_ray(recipe: Recipe, first: int, embed: Embed, size: int) -> Coded:
    """(number of the first, codes or reasons of failure) of each batch from image `first` on, in order.

    What goes with a process or node that ends is done again. `embed` and `recipe.decode` are pickled. Raises
    DimError if a node cannot read what this machine can, or a batch goes too often.
    """
    import ray

    decode = ray.remote(max_retries=0)(_decoded)
    crew, lost, N = Crew(embed, size), Counter(), len(recipe.sources)
    todo, decoding, decoded, coding, coded = list(range(first, N, BATCH)), {}, [], {}, {}
    try:
        while first < N:
            crew.call_up()
            last = first + BATCH * _BEGUN * (crew.processors + len(crew))
            while todo and todo[0] < last and len(decoding) <= crew.processors and len(decoded) < len(crew):
                start = heappop(todo)
                decoding[decode.remote(recipe.decode, recipe.sources[start : start + BATCH])] = start
            while decoded and (given := crew.give(decoded[0][1])):
                start, _ = heappop(decoded)
                coding[given.codes] = start, given.coder
            waiting = [*decoding, *coding, *crew.opening]
            for reference in ray.wait(waiting, timeout=_SECONDS, fetch_local=False)[0]:
                if reference in decoding:
                    heappush(decoded, (decoding.pop(reference), reference))
                elif reference in crew.opening:
                    crew.ready(reference)
                else:
                    start, coder = coding.pop(reference)
                    try:
                        coded[start] = _checked(recipe, start, result(reference))
                        crew.done(coder)
                    except Lost as why:
                        crew.done(coder)
                        if why.by_actor:
                            crew.let_go(coder, why)
                        lost[start] += 1
                        if lost[start] == _TRIES:
                            raise DimError(_given_up(recipe, start, why)) from why
                        heappush(todo, start)
            while first in coded:
                yield first, coded.pop(first)
                first += BATCH
    finally:
        crew.dismiss()


def _decoded(decode: Callable, sources: list[Any]) -> Decoded:
    return Decoded([image_or_reason(decode, source) for source in sources], node())


def _checked(recipe: Recipe, start: int, batch: Decoded) -> list:
    """Its codes, once this machine cannot read either what the node could not."""
    codes = list(batch.images)
    for i, code in enumerate(codes):
        if isinstance(code, str):
            codes[i] = image_or_reason(recipe.decode, recipe.sources[start + i])
            if not isinstance(codes[i], str):
                what = (
                    f"node {batch.node} cannot read {printable(recipe.names[start + i])} ({printable(code)})"
                )
                raise DimError(f"{what}, this machine can; give every node the data by the same path")
    return codes


def _given_up(recipe: Recipe, start: int, why: Lost) -> str:
    images = f"{printable(recipe.names[start])} and the images behind it"
    return f"{images} were lost {_TRIES} times, with processes that ended ({why}); see Ray's logs"
