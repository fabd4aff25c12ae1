"""A run of two towers: trained, gone on with to the same codes, and refused for other ratings."""

from dataclasses import replace

import numpy as np
import pytest

from dim.data.films import counts
from dim.data.leave_last_out import leave_last_out
from dim.data.made_ratings import made_ratings
from dim.evaluation.ranking import ranking_metrics, unrated
from dim.methods.two_towers import film_codes
from dim.training.recommending import build_towers, measured, scores_of, train_towers
from dim.training.run import Run
from dim.training.tower_settings import Settings

RATINGS = made_ratings()
SPLIT = leave_last_out(RATINGS)
SMALL = Settings(
    epochs=2, code_size=8, history=3, batch_size=500, learning_rate=0.01, content=RATINGS.fingerprint
)


def train(name, settings=SMALL, ratings=RATINGS, split=SPLIT):
    return train_towers(Run(name, Settings), settings, ratings, split)


def test_an_interrupted_run_goes_on_to_the_codes_of_an_uninterrupted_one(monkeypatch, capsys):
    whole = film_codes(train("whole"))

    def interrupted(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("dim.training.callbacks.Guard.on_epoch_begin", interrupted)
        train("first")
    assert "the same command goes on" in capsys.readouterr().out
    assert len(Run("first").log.read_text().splitlines()) == 2
    again = film_codes(train("first"))
    assert "1 of 2 epochs done" in capsys.readouterr().out
    np.testing.assert_allclose(again, whole, atol=1e-5)
    head, *rows = Run("first").log.read_text().splitlines()
    assert len(rows) == 2 and {"loss", "val_ndcg_at_10", "val_coverage", "seconds"} <= set(head.split(","))
    assert len(list(Run("first").path.glob("events.out.tfevents*"))) == 2
    train("first")
    assert "2 of 2 epochs done" in capsys.readouterr().out


def test_it_learns_more_than_chance_and_the_log_has_the_metrics_of_validation():
    model = train("first", replace(SMALL, batch_size=50))
    known = counts(SPLIT, 200) > 0
    found, chance = (measured(m, SPLIT.val, known) for m in (model, build_towers(SMALL, RATINGS, SPLIT)))
    assert found.ndcg_at_10 > 0.2 > chance.ndcg_at_10
    head, *rows = (line.split(",") for line in Run("first").log.read_text().splitlines())
    assert float(rows[-1][head.index("val_ndcg_at_10")]) == pytest.approx(found.ndcg_at_10, rel=1e-4)
    scores = unrated(scores_of(model, SPLIT.val.user, SPLIT.val.liked), SPLIT.val.rated)
    assert ranking_metrics(scores, SPLIT.val, known) == found


def test_a_film_that_nobody_rated_can_be_recommended_by_its_content():
    """The film is taken out of all ratings; his taste and the film's words bring it near again."""
    cold = 107
    kept = RATINGS.film != cold
    columns = {name: getattr(RATINGS, name)[kept] for name in ("user", "film", "stars", "time")}
    ratings = replace(RATINGS, **columns)
    split = leave_last_out(ratings)
    model = train("cold", replace(SMALL, epochs=6, batch_size=50, towers="content"), ratings, split)
    scores = unrated(scores_of(model, split.test.user, split.test.liked), split.test.rated)
    assert (scores > scores[:, [cold]]).sum(axis=1).min() < 10
    by_number = build_towers(replace(SMALL, towers="ids"), ratings, split)
    assert not scores_of(by_number, split.test.user, split.test.liked)[:, cold].any()


def test_other_ratings_and_settings_are_refused(refused):
    run = Run("first", Settings)
    run.claim(SMALL)
    run.checkpoint.touch()
    with refused("runs/first holds a run with content", "not 'other'", "another RUN="):
        train("first", replace(SMALL, content="other"))
    with refused("code_size 8, not 9"):
        train("first", replace(SMALL, code_size=9))


def test_a_batch_larger_than_all_ratings_is_refused(refused):
    with refused("--batch-size 9999 is more than the", "ratings that training has"):
        train("first", replace(SMALL, batch_size=9999))
