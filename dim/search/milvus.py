"""Codes in Milvus: a server, or Milvus Lite in the folder of the index.

The address of a server, such as http://host:19530, stands in the environment as DIM_MILVUS, a token for it in
DIM_MILVUS_TOKEN. It needs pymilvus, and Milvus Lite milvus-lite: requirements-cluster.txt.
"""

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
from tqdm import tqdm

from dim.errors import DimError
from dim.files import read_json, replace
from dim.names import printable
from dim.search.engine import Engine, IndexMetric, Neighbours
from dim.search.nearest import comparable, nearest, ranked, without_own

_METRICS = {"l2": "L2", "cosine": "COSINE"}
_BATCH = 1000  # codes a request
_SECONDS = 20  # that an answer may take
_LITE = "milvus.db"
_MOST_RUNS = 1000  # in a filter


class Milvus(Engine):
    """A collection of the codes by their rows; `milvus.json` says where. Distances are exact.

    Milvus gives squares of L2 and cosines; what it finds is compared with the codes themselves, by the
    distances that everything here has. Queries are asked one by one: Milvus Lite takes seconds for many.
    A class or folder is a filter by numbers, which are mostly a few runs, and need no quotes.
    """

    file = "milvus.json"
    filters = True

    def __init__(self, folder: Path, codes: np.ndarray, metric: IndexMetric):
        super().__init__(folder, codes, metric)
        self.about = read_json(folder / self.file, {"address": str, "collection": str}, "make the index anew")
        with _connected(folder, self.about["address"]) as client:
            _check(client, folder, self.about, codes)
        self.folder = folder

    @classmethod
    def write(cls, folder: Path, codes: np.ndarray, metric: IndexMetric) -> None:
        """Sends what the collection lacks; its name is made of the codes, so that others are another one."""
        address = os.environ.get("DIM_MILVUS", "")
        name = f"dim_{_digest(codes, metric)}"
        about = {"address": address, "collection": name}
        with _connected(folder, address) as client:
            _fill(client, name, codes, metric)
            _check(client, folder, about, codes)
        replace(folder / cls.file, lambda file: file.write_text(json.dumps(about), "utf8"))

    @cached_property
    def _client(self):
        """Stays open: to load a collection takes as long as many searches."""
        client = _opened(self.folder, self.about["address"])
        client.load_collection(self.about["collection"])
        return client

    def search(
        self, queries: np.ndarray, k: int, own: np.ndarray | None = None, among: np.ndarray | None = None
    ) -> Neighbours:
        runs = [] if among is None else _runs(among)
        if len(runs) > _MOST_RUNS:
            return nearest(queries, self.codes, k, self.metric, own, among)
        wanted = min(len(self.codes if among is None else among), k if own is None else k + 1)
        asked, rows = comparable(queries, self.metric), np.full((len(queries), wanted), -1)
        those = " or ".join(f"(id >= {first} and id <= {last})" for first, last in runs)
        with _said(self.folder, self.about["address"]):
            for row, query in zip(rows, asked, strict=True):
                ask = {"limit": wanted, "filter": those, "output_fields": ["id"], "timeout": _SECONDS}
                (found,) = self._client.search(self.about["collection"], [query], **ask)
                row[: len(found)] = [each["id"] for each in found]
        found = ranked(queries, self.codes, rows, self.metric)
        return found if own is None else without_own(found, np.asarray(own))


def _fill(client, name: str, codes: np.ndarray, metric: IndexMetric) -> None:
    from pymilvus import DataType

    if not client.has_collection(name):
        schema = client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=codes.shape[1])
        how = client.prepare_index_params()
        how.add_index("vector", index_type="FLAT", metric_type=_METRICS[metric])
        client.create_collection(name, schema=schema, index_params=how)
    if (held := _count(client, name)) == len(codes):
        return
    done = held // _BATCH * _BATCH
    with tqdm(total=len(codes), initial=done, desc="milvus", unit=" codes", dynamic_ncols=True) as bar:
        for start in range(done, len(codes), _BATCH):
            rows = comparable(codes[start : start + _BATCH], metric)
            data = [{"id": start + i, "vector": row} for i, row in enumerate(rows)]
            client.upsert(name, data, timeout=_SECONDS)
            bar.update(len(rows))


def _check(client, folder: Path, about: dict, codes: np.ndarray) -> None:
    """Raises DimError unless the collection holds as many codes, and of that length."""
    name, (N, D) = about["collection"], codes.shape
    where = f"collection {name} of {printable(_place(folder, about['address']))}"
    if (held := _count(client, name)) != N:
        raise DimError(f"{where} holds {held:,} of {N:,} codes; make the index anew")
    (length,) = (
        each["params"]["dim"] for each in client.describe_collection(name)["fields"] if each["params"]
    )
    if int(length) != D:
        raise DimError(f"{where} holds codes of length {length}, not {D}; make the index anew")


def _runs(rows: np.ndarray) -> list[tuple[int, int]]:
    """First and last of each run of rows, which are ascending."""
    ends = np.flatnonzero(np.diff(rows) > 1)
    firsts, lasts = np.append(0, ends + 1), np.append(ends, len(rows) - 1)
    return list(zip(rows[firsts].tolist(), rows[lasts].tolist(), strict=True))


def _opened(folder: Path, address: str):
    """A client of the server, or of Milvus Lite in the folder."""
    try:
        from pymilvus import MilvusClient
    except ImportError as error:
        raise DimError("pymilvus is not installed; pip install -r requirements-cluster.txt") from error
    token = os.environ.get("DIM_MILVUS_TOKEN", "") if address else ""
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)  # Lite logs what it has not as errors
    with _said(folder, address):
        return MilvusClient(_place(folder, address), token=token, timeout=_SECONDS)


@contextmanager
def _connected(folder: Path, address: str) -> Iterator:
    """The same, until its folder has to be free to be moved."""
    client = _opened(folder, address)
    try:
        with _said(folder, address):
            yield client
    finally:
        client.close()
        if not address:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(_place(folder, address))


@contextmanager
def _said(folder: Path, address: str) -> Iterator[None]:
    """What Milvus raises is a DimError."""
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as error:
        reason = printable(" ".join(error.message.split()))[:200]
        remedy = "see that it runs and DIM_MILVUS is its address" if address else "make the index anew"
        raise DimError(f"Milvus at {printable(_place(folder, address))}: {reason}; {remedy}") from error


def _place(folder: Path, address: str) -> str:
    return address or str(folder / _LITE)


def _count(client, name: str) -> int:
    if not client.has_collection(name):
        return 0
    client.load_collection(name)
    how = {"timeout": _SECONDS, "consistency_level": "Strong"}
    (found,) = client.query(name, output_fields=["count(*)"], **how)
    return int(found["count(*)"])


def _digest(codes: np.ndarray, metric: IndexMetric) -> str:
    digest = hashlib.sha256(f"{metric} {codes.shape}".encode())
    for start in range(0, len(codes), 2**14):
        digest.update(np.ascontiguousarray(codes[start : start + 2**14]).tobytes())
    return digest.hexdigest()[:24]
