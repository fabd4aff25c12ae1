"""What TensorBoard is given: read back from the event file."""

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dim.configuration import Configuration
from dim.data import Dataset, Split
from dim.encoders.embedding import embed, posterior
from dim.evaluation.knn import knn_accuracies
from dim.methods.build import build_model
from dim.training.monitor import Monitor, tag_of
from dim.training.run import Run

pytestmark = pytest.mark.usefixtures("eagerly")

SMALL = Configuration(image_size=16, code_size=5, critic_units=6, batch_size=20, views=1)


def dataset(labelled=True):
    rng = np.random.default_rng(0)

    def split(count):
        labels = rng.integers(0, 3, count)
        images = rng.integers(0, 256, (count, 16, 16, 3), "uint8")
        return Split(images, labels if labelled else None, [f"{i}.png" for i in range(count)])

    return Dataset("random", split(40), split(12), ["cat", "dog", "newt"] if labelled else [])


def train(run, data, epochs, model=None, done=0, **changes):
    settings = Configuration(**{**vars(SMALL), **changes})
    model = model or build_model(settings)
    monitor = Monitor(run, data, done)
    model.fit(
        data.train.images,
        batch_size=20,
        shuffle=False,
        verbose=0,
        initial_epoch=done,
        epochs=epochs,
        callbacks=[monitor],
    )
    return model


def events(run):
    accumulator = EventAccumulator(str(run.path), {"scalars": 0, "images": 0, "histograms": 0})
    return accumulator.Reload()


def steps(items):
    return [item.step for item in items]


def test_accuracies_are_those_of_all_validation_images_among_training_images_by_each_metric():
    data, run = dataset(), Run("first")
    model = build_model(SMALL)
    monitor = Monitor(run, data, 0)
    monitor.set_model(model)
    logs = {"loss": 1.5}
    monitor.on_epoch_end(0, logs)
    monitor.writer.close()
    train, val = (embed(model.encoder, split.images) for split in (data.train, data.val))
    expected = knn_accuracies(train, val, data, 20)
    assert expected["l2"] != expected["cosine"]
    scalars = {tag: events(run).Scalars(tag)[0] for tag in events(run).Tags()["scalars"]}
    for metric, accuracy in expected.items():
        assert logs[f"knn_{metric}"] == accuracy
        assert scalars[f"validation/knn20_{metric}"].value == pytest.approx(accuracy)
    mean, log_variance = posterior(model.encoder, data.val.images)
    kl = np.mean((mean**2 + np.exp(log_variance) - 1 - log_variance) / 2)
    assert scalars["codes/kl_nats_per_dimension"].value == pytest.approx(kl, rel=1e-4)
    assert {scalar.step for scalar in scalars.values()} == {1}


def test_every_epoch_has_its_terms_bounds_accuracies_codes_neighbours_and_histograms():
    run = Run("first")
    train(run, dataset(), epochs=2)
    found = events(run)
    tags = found.Tags()
    after_training = {
        *(f"loss/{term}" for term in ("total", "global", "local", "prior")),
        *(f"{group}/{pair}" for group in ("bound_nats", "critic_accuracy") for pair in ("global", "local")),
    }
    from_the_start = {
        *(
            f"codes/{name}"
            for name in ("mean", "standard_deviation", "kl_nats_per_dimension", "direction_spread")
        ),
        *(f"validation/knn20_{metric}" for metric in ("l2", "cosine")),
    }
    assert set(tags["scalars"]) == after_training | from_the_start
    assert all(steps(found.Scalars(tag)) == [1, 2] for tag in after_training)
    assert all(steps(found.Scalars(tag)) == [0, 1, 2] for tag in from_the_start)
    assert set(tags["images"]) == {"neighbours/l2", "neighbours/cosine"}
    assert all(steps(found.Images(tag)) == [0, 1, 2] for tag in tags["images"])
    assert {"codes/values", "codes/kl_of_each_dimension"} <= set(tags["histograms"])


def test_cosines_of_pairs_have_a_group_of_their_own():
    assert tag_of("same_cosine") == "mean_cosine/same" and tag_of("loss") == "loss/total"


def test_without_labels_nothing_is_said_about_classes():
    run = Run("first")
    train(run, dataset(labelled=False), epochs=1)
    tags = events(run).Tags()
    assert not any(tag.startswith("validation/") for tag in tags["scalars"])
    assert "neighbours/l2" in tags["images"]


def test_two_views_are_shown_in_their_size_and_looking_at_them_changes_no_random_number():
    run, data = Run("first"), dataset()
    smaller = {"views": 2, "view_size": 12, "alpha": 0.0}
    watched = train(run, data, epochs=1, **smaller)
    alone = build_model(Configuration(**{**vars(SMALL), **smaller}))
    alone.fit(data.train.images, batch_size=20, shuffle=False, verbose=0)
    (sheet,) = events(run).Images("views/original_and_what_the_model_sees")
    assert (sheet.width, sheet.height) == (8 * 12, 5 * 12)
    for one, other in zip(watched.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_resumed_run_has_every_step_once():
    run, data = Run("first"), dataset()
    model = train(run, data, epochs=2)
    train(run, data, epochs=3, model=model, done=1)
    assert steps(events(run).Scalars("loss/total")) == [1, 2, 3]


def test_the_projector_has_the_codes_and_class_names_of_the_validation_images():
    run, data = Run("first"), dataset()
    model = train(run, data, epochs=1)
    codes = np.loadtxt(run.path / "projector/codes.tsv")
    names = [line.split("\t") for line in (run.path / "projector/names.tsv").read_text().splitlines()[1:]]
    rows = [int(image.removesuffix(".png")) for _, image in names]
    assert sorted(rows) == list(range(12))
    np.testing.assert_allclose(codes, embed(model.encoder, data.val.images)[rows], atol=1e-4)
    assert [label for label, _ in names] == [data.class_names[label] for label in data.val.labels[rows]]


@pytest.mark.parametrize("count", [15])
def test_fewer_training_images_than_voters_is_no_obstacle(count):
    data = dataset()
    few = Split(data.train.images[:count], data.train.labels[:count], data.train.names[:count])
    train(Run("first"), Dataset("few", few, data.val, data.class_names), epochs=1)
    assert "validation/knn20_l2" in events(Run("first")).Tags()["scalars"]
