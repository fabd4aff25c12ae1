"""Learns codes of texts, without labels and with them, and asks what they tell of the class.

Of 20 Newsgroups, as `make data DATA=20-newsgroups` leaves it or wherever DATA is, or of any folder with a
sub-folder of texts for each class; otherwise of docstrings of installed libraries. Writes
text-classification.md, text-classification.csv, few-labels.png and documents.png into OUT; each method
with each seed is a run in it, and goes on where it was stopped.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dim.data.docstrings import docstrings
from dim.data.newsgroups import ARCHIVE, newsgroups
from dim.data.texts import Collection
from dim.errors import DimError
from dim.files import replace, typed_path
from dim.names import in_markdown, printable
from dim.training.run import Run
from experiments import command_line, tables
from experiments.compare.table import publish

_EACH = (1, 5, 20, 100)
_SVD = 256
_MAPPED, _WORDS = 2000, 80  # texts, letters
_METHODS = {
    "dim": {"method": "dim", "svd": True},
    "supervised": {"method": "supervised", "learning_rate": 2e-3, "dropout": 0.5},
    "supcon": {"method": "metric", "loss": "supcon", "dropout": 0.5, "svd": True},
    "triplet": {"method": "metric", "loss": "triplet-semi-hard", "dropout": 0.5, "svd": True},
}
_START = "untrained encoder"
_TITLES = {
    "dim": "Deep InfoMax, no labels",
    "supervised": "softmax",
    "supcon": "supervised contrastive",
    "triplet": "triplets",
}


@dataclass(frozen=True)
class Options:
    """Options of `text_classification`."""

    data: str = ""
    """20 Newsgroups as archive or folder, or any folder of texts; by default the archive where `make data`
    puts it, otherwise docstrings."""
    whole: bool = False
    """Leave headers, signatures and quotations in, which give the answer away."""
    methods: tuple[Literal[tuple(_METHODS)], ...] = tuple(_METHODS)
    """What trains the encoder."""
    epochs: int = 5
    """Passes over the texts."""
    seeds: tuple[int, ...] = (0, 1)
    """Every method is trained with each."""
    out: str = "runs/text-classification"
    """Folder of the runs, the table and the pictures."""


def text_classification(options: Options) -> None:
    """Trains what is not complete, then writes the table and the pictures."""
    if not options.methods or not options.seeds or min(options.seeds) < 0:
        raise DimError("--methods and --seeds each need at least one, and seeds of 0 or more")
    where = options.data or (str(ARCHIVE) if ARCHIVE.exists() else "")
    collection = newsgroups(where, not options.whole) if where else docstrings()
    print(printable(collection), flush=True)
    command_line.import_keras()
    out, measured, curves, codes = typed_path(options.out), {}, {}, {}
    for name in options.methods:
        for seed in options.seeds:
            vectors, softmax = _encoded(options, name, seed, collection, out)
            _measure(_TITLES[name], vectors, softmax, collection, measured, curves)
            codes.setdefault(name, vectors[1])
    for name, vectors in [*_baselines(collection), *_starts(options, collection)]:
        _measure(name, vectors, None, collection, measured, curves)
    rows = [
        {"name": f"{of}, {by}", **tables.over_seeds(each, ["accuracy", "macro_f1"])}
        for (of, by), each in measured.items()
    ]
    rows.sort(key=lambda row: -row["accuracy"])
    first = options.methods[0]
    _project(out / f"{first}-seed{options.seeds[0]}", codes[first], collection)
    figure = _map(codes[first], collection, _TITLES[first])
    out.mkdir(parents=True, exist_ok=True)
    replace(out / "documents.png", lambda file: figure.savefig(file))
    print(printable(out / "documents.png"))
    text = _text(rows, curves, collection, options)
    publish(out, "text-classification", text, rows, _plot(curves), "few-labels.png")


def _encoded(options: Options, name: str, seed: int, collection: Collection, out):
    """Codes of training and test texts, and the classes of the latter by the softmax, if there is one."""
    from dim.evaluation.texts import accuracy_and_f1, classified
    from dim.training.texts import TextSettings, train_texts

    s, tokens = _prepared(options, name, seed, collection)
    labels, asked = collection.train.labels, collection.test.labels

    def numbers(model) -> dict[str, float]:
        codes, others = _codes(model, tokens)
        return {"centroid": accuracy_and_f1(classified("centroid", codes, labels, others), asked)[0]}

    model = train_texts(Run(f"{out}/{name}-seed{seed}", TextSettings), s, tokens[0], labels, numbers)
    codes, softmax = _codes(model, tokens), None
    if s.method == "supervised":
        from keras import ops

        softmax = np.argmax(ops.convert_to_numpy(model.logits(codes[1])), axis=1)
    return codes, softmax


def _prepared(options: Options, name: str, seed: int, collection: Collection):
    """Settings of a run, and tokens of training and test texts."""
    from dim.training.texts import TextSettings

    how = {**_METHODS[name], "context": False, "epochs": options.epochs, "seed": seed}
    s = TextSettings(**how, content=collection.fingerprint)
    return s, [s.tokens(part.texts) for part in (collection.train, collection.test)]


def _codes(model, tokens) -> tuple[np.ndarray, np.ndarray]:
    from dim.encoders.embedding import embed

    train, test = (embed(model.encoder, each) for each in tokens)
    return train, test


def _starts(options: Options, collection: Collection):
    """What Deep InfoMax starts from, if it is asked for; as of `_baselines`."""
    from dim.training.texts import build_text_model

    if "dim" in options.methods:
        s, tokens = _prepared(options, "dim", options.seeds[0], collection)
        yield _START, _codes(build_text_model(s, tokens[0], 0), tokens)


def _baselines(collection: Collection):
    """TF-IDF, and its first directions, which are as long as a code; names and vectors of both parts."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(sublinear_tf=True, min_df=2, stop_words="english")
    train = vectors.fit_transform(collection.train.texts)
    test = vectors.transform(collection.test.texts)
    yield "TF-IDF", (train, test)
    svd = TruncatedSVD(min(_SVD, train.shape[1] - 1), random_state=0).fit(train)
    yield "TF-IDF + SVD", (svd.transform(train), svd.transform(test))


def _measure(name, vectors, softmax, collection, measured, curves) -> None:
    """Adds what classifiers make of the vectors, and what few labels do."""
    from dim.evaluation.texts import accuracy_and_f1, classified, few_labels

    (train, test), labels, asked = vectors, collection.train.labels, collection.test.labels
    by = {each: classified(each, train, labels, test) for each in ("20-NN", "centroid", "logistic", "SVM")}
    if softmax is not None:
        by["softmax"] = softmax
    for each, predicted in by.items():
        accuracy, f1 = accuracy_and_f1(predicted, asked)
        measured.setdefault((name, each), []).append({"accuracy": accuracy, "macro_f1": f1})
    if name.startswith(("TF-IDF", _START, _TITLES["dim"])):  # the others have seen all labels
        for count, found in few_labels("logistic", train, labels, test, asked, _EACH).items():
            curves.setdefault(name, {}).setdefault(count, []).extend(found)


def _text(rows: list[dict], curves: dict, collection: Collection, options: Options) -> str:
    lines = [
        [
            row["name"],
            *(tables.percent(row[n], row[f"{n}_deviation"], "") for n in ("accuracy", "macro_f1")),
            str(row["seeds"]),
        ]
        for row in rows
    ]
    table = tables.markdown(["codes, classifier", "accuracy, %", "macro-F1, %", "seeds"], lines)
    few = tables.markdown(
        ["labels a class", *map(str, _EACH)],
        [
            [name, *(tables.percent(*tables.mean_and_deviation(curve[n]), "") for n in _EACH)]
            for name, curve in curves.items()
        ],
    )
    about = f"{in_markdown(collection)}; {options.epochs} epochs. Few labels: logistic regression, five draws"
    return f"{table}\n{few}\n{about}.\n"


def _plot(curves: dict):
    from dim.pictures.figures import BLUE, GREEN, GREY, ORANGE, explained, panels

    figure, axes = panels(1, 5.4, 3.6)
    for (name, curve), colour in zip(curves.items(), (BLUE, ORANGE, GREEN, GREY), strict=False):
        values = np.array([curve[n] for n in _EACH])
        axes.errorbar(_EACH, 100 * values.mean(1), 100 * values.std(1), label=name, color=colour, capsize=2)
    axes.set(xscale="log", xticks=_EACH, xticklabels=_EACH)
    axes.minorticks_off()
    explained(axes, "labels a class", "test accuracy, %", loc="upper left")
    return figure


def _project(folder, codes: np.ndarray, collection: Collection) -> None:
    """Some test texts for TensorBoard's projector, by their first words."""
    from dim.pictures.projector import write_projector

    rows = _shown(codes)
    test = collection.test.rows(rows)
    classes = [collection.class_names[label] for label in test.labels]
    write_projector(
        folder, codes[rows], None, classes, [" ".join(text.split())[:_WORDS] for text in test.texts]
    )


def _shown(codes: np.ndarray) -> np.ndarray:
    return np.sort(np.random.default_rng(0).permutation(len(codes))[:_MAPPED])


def _map(codes: np.ndarray, collection: Collection, title: str):
    """Test texts in two dimensions, in the colours of their classes."""
    from dim.names import plotted
    from dim.pictures.figures import panels
    from experiments.report.code_map import colour, layout

    rows = _shown(codes)
    places, labels = layout(codes[rows]), collection.test.labels[rows]
    figure, axes = panels(1, 7.6, 5.0)
    for label, name in enumerate(collection.class_names):
        some, ink = places[labels == label], [part / 255 for part in colour(label)]
        axes.scatter(*some.T, s=5, color=ink, label=plotted(name), linewidth=0)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title(f"{len(rows):,} test texts by their codes ({title}), t-SNE", fontsize=9, loc="left")
    axes.legend(fontsize=6, frameon=False, markerscale=2, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


if __name__ == "__main__":
    command_line.run(text_classification, Options, __doc__)
