"""Run folders: whose they are, what is in them, and what is damaged."""

import json
import os
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from dim import data
from dim.configuration import Configuration
from dim.data import Dataset, Split
from dim.encoders import in_plain_keras
from dim.encoders.embedding import embed
from dim.errors import DimError
from dim.methods.build import build_model
from dim.training import pretrained
from dim.training.run import Run
from dim.training.texts import TextSettings
from dim.training.tower_settings import Settings as TowerSettings

pytestmark = pytest.mark.usefixtures("eagerly")

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), "uint8")
SMALL = Configuration(data="photo-patches", image_size=16, code_size=5, critic_units=6, epochs=3)


@pytest.fixture(scope="module")
def model():
    """Of that configuration, for tests that only save it."""
    return build_model(SMALL)


def test_a_name_is_a_folder_in_runs_and_a_path_is_a_path(tmp_path):
    assert str(Run("first").path) == "runs/first"
    assert Run(f"{tmp_path}/elsewhere").path == tmp_path / "elsewhere"


def test_claiming_writes_the_configuration_and_claiming_again_reads_it_back():
    Run("first").claim(SMALL)
    Run("first").claim(SMALL)
    assert Run("first").configuration() == SMALL


def test_more_epochs_are_welcome_and_anything_else_is_refused_by_name():
    run = Run("first")
    run.claim(SMALL)
    run.checkpoint.touch()
    run.claim(replace(SMALL, epochs=9))
    assert run.configuration().epochs == 9
    with pytest.raises(DimError, match=r"batch_size 100, not 50.* another RUN="):
        run.claim(replace(SMALL, batch_size=50))
    assert run.configuration() == replace(SMALL, epochs=9)


def images(*greys, fingerprint="", drawn=False) -> Dataset:
    splits = [Split(np.full((n, 4, 4, 3), n, "uint8"), None, ["a"] * n) for n in greys]
    return Dataset("greys", *splits, [], fingerprint, drawn)


def test_data_is_known_again_by_its_content_wherever_it_lies(refused):
    run = Run("first")
    run.claim(SMALL, images(9, 1, fingerprint="one"))
    run.checkpoint.touch()
    moved = replace(SMALL, data="elsewhere")
    run.claim(moved, images(9, 1, fingerprint="one"))
    assert run.configuration() == moved
    with refused("runs/first holds a run with data 'elsewhere', not 'photo-patches'"):
        run.claim(SMALL, images(9, 1, fingerprint="other"))
    with refused("runs/first was started on other images than there are now, though as many", "RUN="):
        run.claim(moved, images(9, 1, fingerprint="other"))
    with refused("was started on 9 train, 1 val, 0 classes, the data now is 9 train, 2 val, 0 classes"):
        run.claim(moved, images(9, 2, fingerprint="other"))
    assert run.configuration() == moved and not run.other_than(images(9, 1, fingerprint="one"))


def test_a_run_from_before_fingerprints_goes_on_where_nothing_says_that_its_data_changed(refused):
    run = Run("old")
    run.claim(SMALL)
    run.checkpoint.touch()
    run.write_json(run.data, {"train": 9, "val": 1, "classes": 0})
    with refused("runs/old held out other images", "RUN="):
        run.claim(SMALL, images(9, 1, fingerprint="one", drawn=True))
    with refused("data 'photo-patches', not 'elsewhere'"):
        run.claim(replace(SMALL, data="elsewhere"), images(9, 1, fingerprint="one"))
    with refused("was started on 9 train"):
        run.claim(SMALL, images(8, 2, fingerprint="one"))
    run.claim(SMALL, images(9, 1, fingerprint="one"))
    assert run.read_json(run.data)["fingerprint"] == "one"


def test_the_data_of_a_run_is_opened_and_a_change_said(paint, capsys):
    for i in range(20):
        paint(f"pets/{i}.png", (i, i, i))
    run = Run("first")
    run.claim(replace(SMALL, data="pets"), data.load("pets", 16))
    assert len(run.dataset().train) and "runs/first" not in capsys.readouterr().out
    paint("pets/3.png", (9, 9, 9))
    run.dataset()
    assert "runs/first was started on other images than there are now" in capsys.readouterr().out
    run.dataset("pets")
    assert "runs/first" not in capsys.readouterr().out


def test_a_start_of_which_nothing_was_saved_leaves_the_name_free():
    run = Run("first")
    run.claim(replace(SMALL, learning_rate=1e30), images(3, 1))
    run.claim(replace(SMALL, learning_rate=1e-4), images(4, 1))
    assert run.configuration().learning_rate == 1e-4 and run.read_json(run.data)["train"] == 4
    run.configuration_file.write_text("{")
    run.claim(SMALL)
    run.encoder.touch()
    with pytest.raises(DimError, match="learning_rate"):
        run.claim(replace(SMALL, learning_rate=1e30))


def test_one_process_trains_a_run_and_another_is_told_which(declined):
    with Run("first").alone():
        busy = "runs/first is being trained by process", os.getpid(), "wait for it"
        with declined(*busy), Run("first").alone():
            pass
        assert Run("first").path.exists()
    assert not Run("first").path.exists()  # nothing was written
    Run("first").claim(SMALL)
    with Run("first").alone():
        Run("first").claim(SMALL)
    assert [file.name for file in Run("first").path.iterdir()] == ["configuration.json"]


def test_names_are_as_typed_but_for_the_home_folder(tmp_path, monkeypatch, declined):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Run("~/first").path == tmp_path / "first"
    assert str(Run("./~").path) == "~"
    with declined("~nobody-at-all/first", "nobody's home folder"):
        Run("~nobody-at-all/first")
    with declined("evaluate parts runs by commas", "a,b"), Run("a,b").alone():
        pass
    assert not list(tmp_path.glob("**/a,b"))


def test_a_folder_with_something_else_in_it_is_left_alone():
    run = Run("first")
    run.path.mkdir(parents=True)
    (run.path / "thesis.tex").write_text("mine")
    with pytest.raises(DimError, match="not empty and not a run"):
        run.claim(SMALL)
    assert [file.name for file in run.path.iterdir()] == ["thesis.tex"]


def test_the_length_of_a_run_with_a_cosine_schedule_is_fixed(refused):
    planned = replace(SMALL, schedule="cosine")
    run = Run("planned")
    run.claim(planned)
    run.checkpoint.touch()
    run.claim(planned)
    with refused("epochs 3, not 9", "RUN="):
        run.claim(replace(planned, epochs=9))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        *map(json.dumps, ({"colour": "blue"}, {"epochs": 0}, {"epochs": "12"}, {"encoder": "evil"})),
        *map(json.dumps, ({"data": None}, {"views": 3}, {"learning_rate": True}, {"code_size": 8.5})),
    ],
)
def test_a_damaged_configuration_is_said_in_one_line(content, refused):
    run = Run("first")
    run.path.mkdir(parents=True)
    run.configuration_file.write_text(content)
    with refused("configuration.json cannot be used", "repair it"):
        run.configuration()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", '{"k": 20}', '{"k": "20", "accuracy": {}}', '{"k": 20, "accuracy": [1]}']
)
def test_a_damaged_file_of_results_is_named_in_one_line(content, refused):
    run = Run("first")
    run.path.mkdir(parents=True)
    run.results.write_text(content)
    with refused("results.json cannot be used", "remove it"):
        run.read_json(run.results, "k", "accuracy")


@pytest.mark.parametrize("settings", [TextSettings, TowerSettings])
def test_a_run_of_something_else_than_images_says_who_measures_it(settings, declined):
    Run("posts", settings).claim(settings(content="a"))
    assert Run("posts", settings).configuration() == settings(content="a")
    with declined("runs/posts is a run of texts or of films", "text-classification", "recommend"):
        Run("posts").configuration()


def test_the_newest_run_is_the_one_saved_last(model):
    for name in ("zebra", "ant"):
        Run(name).claim(SMALL)
        Run(name).save(model)
    assert Run.chosen().path.name == "ant"


def test_where_no_run_was_trained_it_is_the_pretrained_encoder_and_that_is_said(model, capsys):
    for said in "by the encoder that comes with dim, RUN=pretrained", "no trained run in runs/":
        run = Run.chosen()
        assert run.name == "pretrained" and said in capsys.readouterr().err
    assert run.configuration().encoder == pretrained.configuration().encoder
    assert run.configuration().data == "photo-patches"
    (expected, found) = (embed(encoder, IMAGES) for encoder in (pretrained.pretrained(), run.load_encoder()))
    np.testing.assert_array_equal(expected, found)
    Run("own").claim(SMALL)
    Run("own").save(model)
    assert Run.chosen().name == "own"
    assert Run.chosen("pretrained").load_encoder() and not capsys.readouterr().err


def test_a_run_of_ones_own_may_be_called_pretrained(model):
    Run("pretrained").claim(SMALL)
    Run("pretrained").save(model)
    assert Run.chosen("pretrained").configuration() == SMALL
    assert Run.chosen("pretrained").load_encoder().output["mean"].shape == (None, 5)


def test_without_its_checkpoint_a_run_still_has_the_encoder_that_was_kept_alone(model, declined):
    run = Run("first")
    run.claim(SMALL)
    with declined("runs/first has no checkpoint yet"):
        run.load_encoder()
    in_plain_keras(model.encoder).save(run.encoder)
    small = IMAGES[:, :16, :16]
    np.testing.assert_allclose(embed(run.load_encoder(), small), embed(model.encoder, small), atol=1e-5)
    Run("other").claim(replace(SMALL, code_size=6))
    run.encoder.rename(Run("other").encoder)
    with declined("runs/other/encoder.keras holds another encoder than seed from 16 pixels to a code of 6"):
        Run("other").load_encoder()


def test_a_checkpoint_comes_back_with_its_optimizer():
    run = Run("first")
    run.claim(SMALL)
    model = build_model(SMALL)
    model.optimizer.iterations.assign(7)
    run.save(model)
    assert int(run.load().optimizer.iterations) == 7
    assert sorted(file.name for file in run.path.iterdir()) == ["checkpoint.keras", "configuration.json"]


def test_a_checkpoint_that_torch_wrote_is_read_on_any_backend(model):
    run = Run("first")
    run.claim(SMALL)
    run.save(model)
    with zipfile.ZipFile(run.checkpoint) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    theirs = {"module": "keras.src.backend.torch.optimizers.torch_adamw", "registered_name": "AdamW"}
    config["compile_config"]["optimizer"] |= theirs
    with zipfile.ZipFile(run.checkpoint, "w") as archive:
        for name, content in {**members, "config.json": json.dumps(config)}.items():
            archive.writestr(name, content)
    assert int(run.load().optimizer.iterations) == 0


def test_an_unfinished_save_leaves_the_old_checkpoint_whole(model, monkeypatch):
    run = Run("first")
    run.claim(SMALL)
    run.save(model)
    before = run.checkpoint.read_bytes()

    def half(path):
        path.write_bytes(before[:1000])
        raise OSError("No space left on device")

    monkeypatch.setattr(model, "save", half)
    with pytest.raises(OSError, match="No space"):
        run.save(model)
    assert run.checkpoint.read_bytes() == before


@pytest.mark.parametrize("damage", [lambda b: b[:1000], lambda b: b"", lambda b: b[:-3000] + bytes(3000)])
def test_a_damaged_or_missing_checkpoint_is_said_in_one_line(damage, model):
    run = Run("first")
    run.claim(SMALL)
    with pytest.raises(DimError, match="no checkpoint yet"):
        run.load()
    run.save(model)
    run.checkpoint.write_bytes(damage(run.checkpoint.read_bytes()))
    with pytest.raises(DimError, match=r"checkpoint\.keras is damaged") as caught:
        run.load()
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_something_else_is_said_in_one_line(model, refused):
    run = Run("first")
    run.claim(SMALL)
    for other, complaint in (
        (model.encoder, "it is a Functional, not a DeepInfoMax"),
        (build_model(replace(SMALL, method="vicreg", prior="none")), "it is a VICReg"),
        (build_model(replace(SMALL, encoder="basic32")), "another encoder than seed"),
        (build_model(replace(SMALL, code_size=6)), "from 16 pixels to a code of 5"),
    ):
        run.save(other)
        with refused("checkpoint.keras is not of this run", complaint, "remove it"):
            run.load()
    run.save(model)
    assert run.load().encoder.output["mean"].shape == (None, 5)


def test_a_name_that_is_no_utf8_is_refused(refused):
    with refused("is no UTF-8"):
        Run("a\udcff")


def test_a_log_of_anything_loses_no_epoch_and_keeps_no_nonsense():
    run = Run("first")
    run.claim(SMALL)
    run.log.write_bytes("epoch,loss\n1,3\n²,1\n\n9999999999999,1\n\x00\xff\n".encode() + b"\xb2,1\n")
    run.log_epoch(2, {"loss": 2.0})
    assert run.log.read_text() == "epoch,loss\n1,3\n2,2\n"


def test_the_log_has_one_row_an_epoch_and_forgets_what_was_not_saved():
    run = Run("first")
    run.claim(SMALL)
    for epoch, loss in [(1, 3.0), (2, 2.0), (3, 9.0), (2, 2.5), (3, 1.5)]:
        run.log_epoch(epoch, {"loss": loss, "prior": 0.1})
    assert run.log.read_text() == "epoch,loss,prior\n1,3,0.1\n2,2.5,0.1\n3,1.5,0.1\n"
