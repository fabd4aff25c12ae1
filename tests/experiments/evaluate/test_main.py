"""The evaluation as a user runs it, on runs that are as good as trained."""

import csv
import json
import shutil
import signal
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from imageio.v3 import imread, imwrite

from dim.configuration import Configuration
from dim.errors import DimError
from dim.evaluation import dependence, few_labels, mlp_probe, probes, reconstruction
from dim.evaluation.probes import ProbeResult
from dim.methods.build import build_model
from dim.training.run import Run
from experiments.evaluate import __main__ as module
from experiments.evaluate.__main__ import Options, evaluate
from experiments.evaluate.options import dataset_of

DEPTHS = "code", "hidden", "conv"
ROWS = [prefix + depth for prefix in ("", "untrained ", "uncalibrated ") for depth in DEPTHS]
ROWS += ["PCA", "pixels"]
SMALL = {"image_size": 16, "code_size": 6, "critic_units": 8, "precision": "float32", "encoder": "basic32"}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """`checkpoint(configuration)` is a file with the initial weights of another seed."""
    folder = tmp_path_factory.mktemp("checkpoints")

    @cache
    def checkpoint(configuration):
        file = folder / f"{len(list(folder.iterdir()))}.keras"
        weights = replace(configuration, seed=configuration.seed + 100)
        build_model(weights, steps_per_epoch=1, classes=2).save(file)
        return file

    return checkpoint


@pytest.fixture
def trained(checkpoint, photographs, tmp_path):
    """`trained("first", seed=0)` makes a run that is as good as trained."""

    def trained(name, data=photographs, **options):
        configuration = Configuration(**{**SMALL, **options})
        run = Run(f"{tmp_path}/runs/{name}")
        run.claim(replace(configuration, data=str(data)))
        shutil.copy(checkpoint(configuration), run.checkpoint)
        return run

    return trained


def evaluation(run):
    return json.loads((run.path / "evaluation.json").read_text("utf8"))


def lines(run):
    with (run.path.parent / "evaluations.csv").open(encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_two_seeds_are_evaluated_beside_their_baselines_and_compared(trained, capsys):
    runs = [trained("first"), trained("second", seed=1)]
    evaluate(Options(run="first,second", quick=True))
    out = capsys.readouterr().out
    one, other = map(evaluation, runs)
    assert list(one["features"]) == ROWS
    assert one["features"]["pixels"] == other["features"]["pixels"]
    assert one["features"]["code"] != one["features"]["untrained code"] != other["features"]["untrained code"]
    assert one["features"]["untrained code"] != one["features"]["uncalibrated code"]
    assert one["features"]["code"]["length"] == 6 and one["features"]["pixels"]["length"] == 768
    assert {"l2_map_at_r", "cosine_map_at_r", "knn20_cosine"} < set(one["features"]["code"])
    assert set(one["gauges"]) == {"code", "untrained code", "PCA"}
    assert {"rank_me", "alignment", "uniformity", "ks", "correlation"} < set(one["gauges"]["code"])
    assert "ks" not in one["gauges"]["PCA"]
    assert one["group"] == other["group"] and "200-NN needs 200 training images" in " ".join(one["notes"])

    text = (runs[0].path / "evaluation.md").read_text("utf8")
    assert text in out and "| untrained encoder: feature map |" in text and "±" not in text
    both = (runs[0].path.parent / "evaluations.md").read_text("utf8")
    accuracies = [100 * e["features"]["hidden"]["knn5_l2"] for e in (one, other)]
    cell = f"{np.mean(accuracies):.1f} ± {np.std(accuracies, ddof=1):.1f}"
    assert both in out and f"| hidden layer | 1,024 | {cell} |" in both
    assert imread(runs[0].path / "evaluation.png").shape[2] >= 3

    recorded = {line["run"]: line for line in lines(runs[0])}
    assert set(recorded) == {"first", "second"}
    assert float(recorded["second"]["code.ami"]) == pytest.approx(other["features"]["code"]["ami"], abs=1e-5)


@pytest.mark.slow
def test_everything_at_once(trained, monkeypatch):
    """Probes, dependence, all distances, a support vector machine and a supervised encoder."""
    monkeypatch.setattr(mlp_probe, "mlp_probe", lambda data, seed: ProbeResult(0.5, {}))  # it takes a minute
    for probing in probes, few_labels:
        monkeypatch.setattr(probing, "STRENGTHS", (1.0,))
    monkeypatch.setattr(dependence, "_MOST_LOOKS", 1)
    monkeypatch.setattr(reconstruction, "STEPS", 2)
    run = trained("first", views=1, prior="uniform")
    trained("taught", method="supervised", prior="none", seed=3)
    distances = "l2", "cosine", "l1", "mahalanobis"
    evaluate(Options(run="first", svm=True, supervised="taught", metrics=distances))
    found = evaluation(run)
    assert {"supervised code", "supervised hidden", "supervised conv"} < set(found["features"])
    for name, measured in found["features"].items():
        if name.startswith("uncalibrated"):
            assert "knn20_cosine" in measured and "linear" not in measured
            continue
        assert {"linear", "mlp", "svm", "linear_10", "linear_10_deviation", "settings"} < set(measured)
        assert {f"{distance}_map_at_r" for distance in distances} < set(measured)
    assert found["features"]["pixels"]["linear"] > 0.6  # stripes and blotches are not hard
    for name in "code", "supervised code", "untrained code":
        assert 0 <= found["dependence"][name]["ms_ssim"] <= 1
    assert found["dependence"]["Gaussians of 20 nats"]["mutual_information"] < 20
    text = (run.path / "evaluation.md").read_text("utf8")
    assert "Estimates, never scores." in text and "ln N" in text
    assert "1% of the labels is less than two for each class" in text


def test_without_labels_the_rest_is_still_there(trained, tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "flat").mkdir()
    for i in range(60):
        imwrite(tmp_path / f"flat/{i}.png", rng.integers(0, 256, (16, 16, 3), "uint8"))
    run = trained("first", data=tmp_path / "flat")
    evaluate(Options(quick=True))
    found = evaluation(run)
    assert not found["features"] and found["gauges"]["code"]["rank_me"] > 0
    assert "there are no labels" in (run.path / "evaluation.md").read_text("utf8")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"run": "first,second"}, "runs/second is not a run"),
        ({"supervised": "first"}, "is a run of dim; train one: make train PRESET=supervised"),
        ({"supervised": "elsewhere"}, "was trained on other images"),
        ({"seed": -1}, "--seed must be at least 0"),
        ({"metrics": ()}, "--metrics needs at least one"),
        ({"data": "nowhere"}, "no data at"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_in_one_line(options, complaint, trained, tmp_path):
    trained("first")
    elsewhere = Run(f"{tmp_path}/runs/elsewhere")
    elsewhere.claim(Configuration(**SMALL, data="elsewhere", method="supervised", prior="none"))
    with pytest.raises(DimError, match=complaint) as caught:
        evaluate(Options(**{"run": "first", **options}))
    assert len(str(caught.value).splitlines()) == 1


def test_the_command_line_refuses_like_the_others(refused):
    assert "did you mean --metrics?" in refused("evaluate", "--metric", "l2")


def running(pid) -> bool:
    file = Path(f"/proc/{pid}/stat")
    return file.exists() and file.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux says whose child a process is")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_whoever_ends_an_evaluation_of_several_ends_its_child(how, trained, start):
    """Even where nobody is left who could tell it."""
    trained("first"), trained("second")
    process, shown = start("evaluate", "--run", "first,second", "--quick"), ""
    while "PCA of pixels" not in shown:  # the child is at work
        assert process.poll() is None, shown
        shown += process.stderr.read(1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(how)
    _, err = process.communicate(timeout=60)  # which waits for the child too, who writes there
    assert process.returncode == (-how if how == signal.SIGKILL else 128 + how)
    assert "Traceback" not in err
    deadline = time.monotonic() + 20
    while children and any(map(running, children)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert children


def test_a_folder_that_cannot_be_written_is_found_out_before(trained, monkeypatch):
    trained("first")
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    monkeypatch.setattr(module, "evaluated_in_turn", lambda *_: pytest.fail("evaluated"))
    with pytest.raises(DimError, match=r"1.0 MB are free for .*first.* make room"):
        evaluate(Options(run="first"))


def test_what_cannot_be_written_after_all_has_been_printed(trained, monkeypatch, capsys):
    run = trained("first")
    (run.path / "evaluation.json").mkdir()
    with pytest.raises(OSError):
        evaluate(Options(run="first", quick=True))
    assert "| untrained, uncalibrated: code |" in capsys.readouterr().out


def test_a_run_that_holds_images_out_is_evaluated_on_them(trained):
    run = trained("first", tune=True)
    trained("taught", method="supervised", prior="none")
    with pytest.raises(DimError, match="other images"):
        evaluate(Options(run="first", supervised="taught"))
    dataset = dataset_of(run, Options())
    assert dataset.name == "photographs-tune" and len(dataset.train) + len(dataset.val) == 90
