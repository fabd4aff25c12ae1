"""All that is measured with labels of one set of features, by one protocol for every set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from dim.evaluation.knn import knn_accuracy, weighted_knn_accuracy
from dim.evaluation.mlp_probe import mlp_probe
from dim.evaluation.probes import few_label_probe, linear_probe, prepare, svm_probe
from dim.evaluation.retrieval_metrics import CUTOFF, cluster_agreement, retrieval_metrics, whitened
from dim.search.nearest import nearest

L2_NEIGHBOURS, COSINE_NEIGHBOURS = 5, (20, 200)
FEW = {"linear_1": 0.01, "linear_10": 0.10}
MOST_CLUSTERED = 5000
MOST_WHITENED = 4096


@dataclass(frozen=True)
class Features:
    """Features of labelled training and validation images.

    Attributes:
        train: [N, F] of any type, memory-mapped or not.
        train_labels: [N] int.
        val: [Q, F].
        val_labels: [Q] int.
    """

    train: np.ndarray
    train_labels: np.ndarray
    val: np.ndarray
    val_labels: np.ndarray


@dataclass(frozen=True)
class Protocol:
    """What to measure.

    Attributes:
        probes: whether to train classifiers; otherwise neighbours and clusters alone.
        svm: whether a linear support vector machine is one of them.
        metrics: distances of the retrieval, of `l2`, `cosine`, `l1` and `mahalanobis`.
        seed: of everything random.
        notes: gathers what had to be left out and why, a line each.
    """

    probes: bool = True
    svm: bool = False
    metrics: Sequence[str] = ("l2", "cosine")
    seed: int = 0
    notes: dict[str, None] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """How often `measure` tells its progress, at most."""
        return 3 + (2 + self.svm + len(FEW) if self.probes else 0)

    def measure(self, features: Features, progress: Callable[[str], None] = lambda _: None) -> dict:
        """All accuracies and retrieval metrics of some features.

        Args:
            features: of labelled images.
            progress: told what comes next.

        Returns:
            name → share of 1 (`ami` up to 1), and `settings` with what the probes chose; `length` is F. Where
            features have no Mahalanobis distance, `mahalanobis_left_out` says why.
        """
        progress("neighbours")
        measured = {"length": features.train.shape[1], **self._neighbours(features)}
        progress("retrieval")
        measured |= self._retrieval(features)
        progress("clusters")
        measured["ami"] = self._clusters(features)
        return measured | (self._probes(features, progress) if self.probes else {})

    def _neighbours(self, features: Features) -> dict:
        def found(k, metric):
            return nearest(features.val, features.train, k, metric)

        accuracies, N = {}, len(features.train)
        possible = [k for k in COSINE_NEIGHBOURS if k <= N]
        for k in (L2_NEIGHBOURS, *COSINE_NEIGHBOURS):
            if k > N:
                self._note(f"{k}-NN needs {k} training images; there are {N}")
        if N >= L2_NEIGHBOURS:
            labels = features.train_labels[found(L2_NEIGHBOURS, "l2").indices]
            accuracies[f"knn{L2_NEIGHBOURS}_l2"] = knn_accuracy(labels, features.val_labels)
        if possible:
            near = found(max(possible), "cosine")
            labels, cosines = features.train_labels[near.indices], 1 - near.distances
            for k in possible:
                accuracies[f"knn{k}_cosine"] = weighted_knn_accuracy(
                    labels[:, :k], cosines[:, :k], features.val_labels
                )
        return accuracies

    def _retrieval(self, features: Features) -> dict:
        measured = {}
        for metric in self.metrics:
            vectors = np.asarray(features.val, "float32")
            if metric == "mahalanobis":
                if vectors.shape[1] > MOST_WHITENED:
                    self._note(f"Mahalanobis is left out for features of more than {MOST_WHITENED:,} values")
                    continue
                try:
                    vectors = whitened(vectors, np.asarray(features.train, "float32"))
                except ValueError as error:
                    measured["mahalanobis_left_out"] = str(error).partition(";")[0]
                    continue
            try:
                found = retrieval_metrics(
                    vectors, features.val_labels, "l2" if metric == "mahalanobis" else metric
                )
            except ValueError as error:
                self._note(f"retrieval is left out: {error}")
                break
            if found.precision_at_10 is None:
                self._note(f"Precision@{CUTOFF} needs more than {CUTOFF} validation images")
            measured |= {f"{metric}_{name}": value for name, value in found._asdict().items()}
        return measured

    def _clusters(self, features: Features) -> float:
        rows = np.random.default_rng(self.seed).permutation(len(features.val))[:MOST_CLUSTERED]
        vectors = np.asarray(features.val[rows], "float32")
        return cluster_agreement(vectors, features.val_labels[rows], self.seed)

    def _probes(self, features: Features, progress: Callable[[str], None]) -> dict:
        try:
            data = prepare(
                features.train, features.train_labels, features.val, features.val_labels, self.seed
            )
        except ValueError as error:
            self._note(f"probes are left out: {error}")
            return {}
        if len(data.train) < len(features.train):
            self._note(f"probes of {data.train.shape[1]:,} values are fitted to {len(data.train):,} images")
        measured, settings = {}, {}
        probes = {"linear": linear_probe, "mlp": lambda data: mlp_probe(data, self.seed)}
        if self.svm:
            probes["svm"] = svm_probe
        for name, probe in probes.items():
            progress(f"{name} probe")
            measured[name], settings[name] = probe(data)
        for name, share in FEW.items():
            progress(f"{share:.0%} of the labels")
            classes = len(np.unique(data.labels))
            if share * len(data.labels) < 2 * classes:
                self._note(f"{share:.0%} of the labels is less than two for each class")
                continue
            draws = few_label_probe(data, share, seed=self.seed)
            measured[name], measured[f"{name}_deviation"] = (
                np.mean(draws).item(),
                np.std(draws, ddof=1).item(),
            )
        return {**measured, "settings": settings}

    def _note(self, note: str) -> None:
        self.notes[note] = None
