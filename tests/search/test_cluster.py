"""A Ray cluster: found, left by a node, or not there."""

import os
import socket
import time
from importlib.util import find_spec

import pytest

from dim.search.spread import on_ray
from tests.search import images
from tests.search.images import embed, recipe, write

pytestmark = pytest.mark.filterwarnings("ignore")  # of Ray's
installed = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")


@installed
@pytest.mark.slow
def test_every_image_comes_once_though_a_node_dies(by_this_process, tmp_path):
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    ray.shutdown()
    ray.cloudpickle.register_pickle_by_value(images)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    nodes, alive = [cluster.add_node(num_cpus=1) for _ in range(2)], []
    by_cluster = on_ray(cluster.address)

    def one_dies(*arguments):
        for each in by_cluster(*arguments):
            if not alive:
                cluster.remove_node(nodes[0], allow_graceful=False)
            alive.append(sum(node["Alive"] for node in ray.nodes()))
            yield each

    def slowly(images):
        time.sleep(0.5)
        return embed(images)

    try:
        skipped = write(tmp_path / "ray", recipe(), one_dies, slowly)
    finally:
        cluster.shutdown()
    assert alive[-1] == 2
    assert ((tmp_path / "ray/codes.npy").read_bytes(), skipped) == by_this_process


@installed
def test_a_cluster_that_does_not_answer_is_one_line_within_a_minute(tmp_path, refused):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port, begun = silent.getsockname()[1], time.monotonic()
        with refused(f"no Ray cluster at 127.0.0.1:{port}", "ray status"):
            write(tmp_path, recipe(), on_ray(f"127.0.0.1:{port}"))
        assert time.monotonic() - begun < 60
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
