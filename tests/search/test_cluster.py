"""A Ray cluster: found, left by a node, or not there."""

import os
import socket
import time
from importlib.util import find_spec

import pytest

from dim.search import cluster
from dim.search.crew import Crew
from dim.search.spread import on_ray
from tests.search import images
from tests.search.images import embed, recipe, write

pytestmark = pytest.mark.filterwarnings("ignore")  # of Ray's
installed = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")


@installed
@pytest.mark.slow
def test_every_image_comes_once_though_a_node_dies(by_this_process, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    from ray.cluster_utils import Cluster

    ray.cloudpickle.register_pickle_by_value(images)
    three = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    nodes, busy, ended = [three.add_node(num_cpus=1) for _ in range(2)], set(), []
    give, let_go, opened = Crew.give, Crew.let_go, tmp_path / "opened"
    opened.mkdir()

    def give_or_kill(crew, decoded):
        given = give(crew, decoded)
        if given and given.coder not in busy:
            busy.add(given.coder)
            if len(busy) == 3:
                three.remove_node(nodes[0], allow_graceful=False)
        return given

    monkeypatch.setattr(Crew, "give", give_or_kill)
    monkeypatch.setattr(Crew, "let_go", lambda *who: ended.append(who) or let_go(*who))

    def embed_once_all_are_there(images):
        if not images.any():  # a coder that opens embeds black ones
            (opened / str(os.getpid())).touch()
            return embed(images)
        while len(list(opened.iterdir())) < 3:
            time.sleep(0.1)
        time.sleep(4)  # processes outlive their node by a second
        return embed(images)

    try:
        skipped = write(tmp_path / "ray", recipe(), on_ray(three.address), embed_once_all_are_there)
    finally:
        three.shutdown()
    assert ended
    assert ((tmp_path / "ray/codes.npy").read_bytes(), skipped) == by_this_process


@installed
def test_a_cluster_that_does_not_answer_is_one_line_within_a_minute(tmp_path, refused, monkeypatch):
    assert cluster._SECONDS + cluster._MORE_SECONDS < 60
    monkeypatch.setattr(cluster, "_MORE_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with refused(f"no Ray cluster at 127.0.0.1:{port} (no answer of Ray", "ray status"):
            write(tmp_path, recipe(), on_ray(f"127.0.0.1:{port}"))
    with refused(f"no Ray cluster at 127.0.0.1:{port} (Connection refused)"):
        write(tmp_path, recipe(), on_ray(f"127.0.0.1:{port}"))


@installed
@pytest.mark.parametrize("address", ["head", "head:", "head:66000", "ray://head:10001", "a b:1"])
def test_what_is_no_address_is_one_line(address, refused):
    with refused(f"{address} is no address", "host:port"):
        on_ray(address)


@pytest.mark.skipif(find_spec("ray") is not None, reason="ray is installed")
def test_without_ray_it_says_what_to_install(refused):
    with refused("ray is not installed", "requirements-cluster.txt"):
        on_ray("")
