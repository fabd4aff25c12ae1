"""Breast cancer: nearest centroid by several distances, on features as they are and standardised.

569 tumours, 30 features, 2 classes (Wisconsin, ships with scikit-learn). And what single features and pairs
of them say about the class.
"""

from pathlib import Path

import numpy as np

from dim import measures
from dim.pictures.figures import BLUE, GREY, ORANGE, panels, save, titled
from experiments.measures.row import Row, spread

METRICS = {"mahalanobis": "Mahalanobis", "l2": "Euclidean", "l1": "L1", "cosine": "cosine"}
SOURCE = {"mahalanobis": "0.953 ± 0.014", "l2": "0.879 ± 0.018"}
REMARKS = {
    "mahalanobis": "the same, as a linear map changes nothing; the source's splits are not known",
    "l2": "as they are, two areas of up to 4,254 decide alone; over half of Mahalanobis' lead is units",
    "l1": "units again, less so",
    "cosine": "as they are, all angles are small; standardised, they are angles at the mean of the data",
}
BINS = 5


def breast_cancer(folder: Path, splits: int, seed: int) -> list[Row]:
    """Classifies in stratified splits, measures information, and draws both."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    scores = accuracies(data.data, data.target, splits, seed)
    rows = []
    for metric, name in METRICS.items():
        raw, standardised = (spread(each, 3) for each in scores[metric])
        remark = f"standardised {standardised}; {REMARKS[metric]}"
        rows.append(Row(f"breast cancer: nearest centroid, {name}", SOURCE.get(metric, ""), raw, remark))
    rows += _information(data)
    _draw(folder / "breast_cancer.png", scores, data)
    return rows


def accuracies(x, y, splits: int, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each metric, accuracy [splits] on the features as they are and standardised.

    Splits are stratified, 70 % for training; the scale comes from the training part.
    """
    from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = StratifiedShuffleSplit(splits, test_size=0.3, random_state=seed)
    found = {}
    for metric in METRICS:
        model = measures.CentroidClassifier(metric)
        both = model, make_pipeline(StandardScaler(), model)
        found[metric] = tuple(cross_val_score(each, x, y, cv=folds) for each in both)
    return found


def _information(data) -> list[Row]:
    names, known = data.feature_names, (data.data, data.target, BINS, 2)
    most = measures.entropy(np.bincount(data.target) / len(data.target), base=2)
    one, two = measures.most_informative_feature(*known), measures.most_informative_pair(*known)
    singles = measures.feature_information(*known)
    i, j = two.features
    second = int(np.argsort(singles)[-2])
    ranked = measures.pair_information(*known)[one.features[0], second]
    best = f"{names[one.features[0]]}, of the {most:.3f} bits of the label; {BINS} bins of equally many"
    pair = f"{names[i]} and {names[j]}, {singles[i]:.3f} and {singles[j]:.3f} alone"
    pair += f"; the two best single features repeat each other: {ranked:.3f} together"
    return [
        Row("breast cancer: most informative feature", "", f"{one.information:.3f} bits", best),
        Row("breast cancer: most informative pair", "raises an error", f"{two.information:.3f} bits", pair),
    ]


def _draw(file: Path, scores: dict, data) -> None:
    figure, (left, right) = panels(2, width=9.5, height=4.2, width_ratios=(1, 1.25))
    jitter = np.random.default_rng(0).uniform(-0.08, 0.08, size=len(scores["l2"][0]))
    for i, metric in enumerate(METRICS):
        for side, (values, colour) in enumerate(zip(scores[metric], (ORANGE, BLUE), strict=True)):
            at = i + 0.34 * side - 0.17
            left.plot(at + jitter, 100 * values, ".", ms=4, color=colour, alpha=0.5)
            left.plot([at - 0.13, at + 0.13], [100 * values.mean()] * 2, color=colour, lw=2)
    left.set_xticks(range(len(METRICS)), METRICS.values())
    for colour, name in (ORANGE, "features as they are"), (BLUE, "standardised"):
        left.plot([], [], color=colour, lw=2, label=name)
    left.set_ylim(84, 99)
    left.legend(frameon=False, fontsize=8, loc="lower left")
    titled(left, f"Nearest centroid, {len(jitter)} splits and their mean", "", "accuracy (%)")

    table = measures.pair_information(data.data, data.target, BINS, base=2)
    image = right.imshow(table, cmap="viridis", vmin=0)
    i, j = measures.most_informative_pair(data.data, data.target, BINS).features
    right.plot([j, i], [i, j], "s", ms=5.5, mec="white", mfc="none", mew=1.2)
    right.set_yticks(range(len(data.feature_names)), data.feature_names, fontsize=5)
    right.set_xticks([])
    right.spines[:].set_visible(False)
    right.tick_params(length=0)
    bar = figure.colorbar(image, ax=right, shrink=0.9)
    bar.set_label("bits", fontsize=8)
    bar.ax.tick_params(labelsize=8, color=GREY)
    note = "diagonal: one feature; framed: the best pair"
    titled(right, "What pairs of features say about the class", note, "")
    save(figure, file)
