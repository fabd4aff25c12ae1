"""Trains two towers that recommend films, and ranks all films by them and by what they have to beat.

The ratings are those of MovieLens, a folder or zip as published; where there are none, made-up ones. The
towers of a film's number, of its content and of both are trained in folders of runs/RUN; the same command
goes on with what is not complete, then writes recommend.md, recommend.csv and recall.png there.
--user prints what a user liked and what he would get, --item what is like a film.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from dim import choices
from dim.data.leave_last_out import leave_last_out
from dim.data.made_ratings import made_ratings
from dim.data.movielens import ARCHIVE, Ratings, load_movielens
from dim.errors import DimError
from dim.names import printable
from dim.training.run import Run
from dim.training.tower_settings import Settings, Training
from experiments import command_line

_PLACES = ARCHIVE, ARCHIVE.with_suffix("")


@dataclass(frozen=True, kw_only=True)
class Options(Training):
    """Options of `recommend`."""

    data: str = ""
    """ml-latest-small of MovieLens, as folder or zip; by default where `make data DATA=movielens` puts it."""
    run: str = "recommend"
    """Name of the folder in runs/ (or a path)."""
    towers: tuple[Literal[choices.TOWERS], ...] = choices.TOWERS
    """What a film's code is made of: ids, content, or both; a row of the table each."""
    seeds: tuple[int, ...] = (0,)
    """Seeds to train each with."""
    user: int = 0
    """A user's number in MovieLens: prints what he liked, and what the last of the towers recommend."""
    item: str = ""
    """A film's title: prints the nearest films by codes of the last of the towers."""

    def settings(self, towers: str, seed: int, ratings: Ratings) -> Settings:
        """Of one of the runs."""
        shared = {field.name: getattr(self, field.name) for field in fields(Training)}
        return Settings(**shared, towers=towers, seed=seed, content=ratings.fingerprint)

    def place(self, towers: str, seed: int) -> Run:
        """The folder of one of the runs."""
        return Run(f"{Run(self.run).path}/{towers}-seed{seed}", Settings)


def recommend(options: Options) -> None:
    """Trains what is not complete, then answers the question or writes the table."""
    if not (options.towers and options.seeds):
        raise DimError("--towers and --seeds need a value at least")
    found = options.data or next((path for path in _PLACES if path.exists()), "")
    ratings = load_movielens(found) if found else made_ratings()
    print(printable(ratings), flush=True)
    if not found:
        print("(They are made up. `make data DATA=movielens` downloads real ones, 1 MB.)", flush=True)
    split = leave_last_out(ratings)
    if not len(split.test.user):
        raise DimError(f"{ratings.name}: no user rated three films well, so nothing can be held out")

    command_line.import_keras()
    from dim.training.recommending import train_towers
    from experiments.recommend import asked
    from experiments.recommend.table import evaluate

    def trained(towers: str, seed: int):
        run = options.place(towers, seed)
        return train_towers(run, options.settings(towers, seed, ratings), ratings, split)

    if options.user or options.item:
        question = asked.question(options.user, options.item, ratings)
        print("\n" + question(trained(options.towers[-1], options.seeds[0])))
        return
    models = {towers: [trained(towers, seed) for seed in options.seeds] for towers in options.towers}
    seconds = {t: [_seconds(options.place(t, seed)) for seed in options.seeds] for t in options.towers}
    evaluate(Path(Run(options.run).path), ratings, split, models, seconds)


def _seconds(run: Run) -> float:
    """That the epochs of a run took."""
    rows = [line.split(",") for line in run.log.read_text("utf8").splitlines()]
    return sum(float(row[rows[0].index("seconds")]) for row in rows[1:])


if __name__ == "__main__":
    command_line.run(recommend, Options, __doc__)
