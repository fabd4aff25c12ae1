"""Runs on texts: each method learns, goes on after an interruption, and refuses what does not fit."""

import contextlib

import numpy as np
import pytest

from dim.data.tokens import tokenised, with_pieces
from dim.encoders.embedding import embed
from dim.training import texts
from dim.training.run import Run
from dim.training.texts import TextSettings, build_text_model, train_texts

SMALL = {"epochs": 2, "batch_size": 12, "code_size": 8, "length": 10, "window": 4}


@pytest.fixture
def collection():
    rng = np.random.default_rng(0)
    labels = np.arange(36) % 3
    texts = [" ".join(f"w{20 * label + i}" for i in rng.integers(0, 20, 9)) for label in labels]
    return tokenised(texts, 10), labels


def _numbers(model):
    return {"found": 0.5}


@pytest.mark.parametrize(
    "method",
    [
        {"method": "dim"},
        {"method": "supervised"},
        {"method": "metric"},
        {"method": "metric", "loss": "triplet-semi-hard"},
    ],
    ids=str,
)
def test_each_method_lowers_its_loss_and_leaves_a_run(method, collection, eagerly):
    settings = TextSettings(**{**SMALL, **method, "epochs": 6, "learning_rate": 0.02})
    run = Run("learned", TextSettings)
    train_texts(run, settings, *collection, _numbers)
    rows = [line.split(",") for line in run.log.read_text().splitlines()]
    loss, found = rows[0].index("loss"), rows[0].index("val_found")
    assert len(rows) == 7 and float(rows[-1][loss]) < float(rows[1][loss]) and rows[-1][found] == "0.5"
    assert list(run.path.glob("events.out.tfevents*")) and run.configuration() == settings


def test_pairs_are_learned_from_grades(collection, eagerly):
    tokens, labels = collection
    pairs = np.stack([tokens, np.roll(tokens, 1, axis=0)], axis=1)
    settings = TextSettings(**SMALL, method="siamese", loss="regression", pieces=True)
    model = train_texts(Run("pairs", TextSettings), settings, pairs, labels / 2, _numbers)
    assert embed(model.encoder, tokens).shape == (36, 8)
    assert not any("conv" in layer.name for layer in model.encoder.layers)


def test_an_interrupted_run_goes_on_to_the_codes_of_an_uninterrupted_one(collection, eagerly):
    whole = train_texts(Run("whole", TextSettings), TextSettings(**SMALL), *collection, _numbers)

    class Stop(Exception):
        pass

    def stop(model):
        raise Stop

    for numbers in _numbers, stop:
        settings = TextSettings(**{**SMALL, "epochs": 1 if numbers is _numbers else 2})
        with contextlib.suppress(Stop):
            train_texts(Run("parts", TextSettings), settings, *collection, numbers)
    parts = train_texts(Run("parts", TextSettings), TextSettings(**SMALL), *collection, _numbers)
    np.testing.assert_allclose(*(embed(m.encoder, collection[0]) for m in (whole, parts)), atol=1e-6)


def test_a_run_keeps_its_settings_and_its_data(collection, eagerly, declined):
    train_texts(Run("kept", TextSettings), TextSettings(**SMALL, content="a"), *collection, _numbers)
    for other in {"seed": 1, "content": "a"}, {"content": "b"}:
        with declined("runs/kept holds a run with", next(iter(other))):
            train_texts(Run("kept", TextSettings), TextSettings(**SMALL, **other), *collection, _numbers)


def test_no_label_reaches_deep_infomax(collection, monkeypatch):
    settings = TextSettings(**SMALL)
    assert len(texts._batches(settings, *collection)[0]) == 1
    assert len(texts._batches(TextSettings(**SMALL, method="supervised"), *collection)[0]) == 2


def test_without_context_each_word_is_read_once_and_pieces_as_often_as_they_come():
    text = ["a cat a cat"]
    counts = {
        (context, pieces): int(
            (TextSettings(context=context, pieces=pieces, length=40).tokens(text) > 0).sum()
        )
        for context in (True, False)
        for pieces in (True, False)
    }
    each = len(with_pieces(text[0]))
    assert counts == {(True, False): 4, (False, False): 2, (True, True): each, (False, True): each}


def test_a_start_from_singular_vectors_is_one_without_chance(collection):
    tokens, _ = collection
    settings = (TextSettings(**SMALL, context=False, svd=True, seed=s) for s in (0, 1))
    one, other = (embed(build_text_model(s, tokens, 3).encoder, tokens) for s in settings)
    np.testing.assert_allclose(np.abs(one), np.abs(other), atol=0.02 * np.abs(one).max())


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"learning_rate": -1.0}, {"dropout": 1.0}, {"window": 0}])
def test_settings_out_of_range_are_refused(wrong, declined):
    with declined(f"--{next(iter(wrong)).replace('_', '-')}"):
        TextSettings(**wrong)


def test_a_batch_larger_than_the_texts_is_refused(collection, declined):
    with declined("--batch-size 100 is more than the 36 texts that training has"):
        train_texts(Run("few", TextSettings), TextSettings(), *collection, _numbers)


def test_the_seed_decides_the_initial_weights_and_rarities_come_from_the_training_texts(collection):
    tokens, _ = collection
    one, same, other = (build_text_model(TextSettings(**SMALL, seed=s), tokens, 3) for s in (0, 0, 1))
    codes = [embed(model.encoder, tokens) for model in (one, same, other)]
    np.testing.assert_array_equal(codes[0], codes[1])
    assert np.abs(codes[0] - codes[2]).max() > 1e-3
    (weights,) = one.encoder.get_layer("log_weights").get_weights()
    assert weights[tokens[0, 0], 0] < weights[1 if 1 not in tokens else 2, 0]
