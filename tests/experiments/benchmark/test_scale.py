"""What docs/scale.md is printed by: half precision against single, and a cluster against this process."""

from importlib.util import find_spec

import pytest

from experiments.benchmark import cluster, precision
from experiments.index import Options as MakeIndex
from experiments.index import index


def test_each_kind_is_measured_in_both_precisions(initial_run, capsys, declined):
    index(MakeIndex(run=str(initial_run.path)))
    capsys.readouterr()
    precision.precision(precision.Options(run=str(initial_run.path)))
    said, _, head, _, *rows = capsys.readouterr().out.splitlines()
    assert said == "100 codes of 8, by cosine" and head.count("recall@10") == 2
    assert [row.split("|")[1].strip() for row in rows if row] == ["exact", "hnsw", "ivf", "ivfpq"]
    exact = [cell.strip() for cell in rows[0].split("|")]
    assert exact[3] == "1.0000" and 0.9 < float(exact[6]) <= 1
    index(MakeIndex(run=str(initial_run.path), codes="float16"))
    with declined("holds codes in float16"):
        precision.precision(precision.Options(run=str(initial_run.path)))


@pytest.mark.skipif(find_spec("ray") is not None, reason="ray is installed")
def test_without_ray_nothing_is_measured(declined):
    with declined("ray is not installed", "requirements-cluster.txt"):
        cluster.cluster_of_three(cluster.Options())
