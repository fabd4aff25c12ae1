"""How well clusters keep to classes."""

import warnings

import numpy as np

from dim.evaluation.evaluator import LABELS, RETRIEVAL, Evaluator, Features, share

_MOST = 5000


def cluster_agreement(vectors: np.ndarray, labels: np.ndarray, seed: int = 0) -> float:
    """Adjusted mutual information of classes, [N] int, and as many k-means clusters of vectors [N, D].

    0 at chance, 1 where clusters are the classes (Vinh, Epps and Bailey 2010; arithmetic mean of the
    entropies). The best of four starts of k-means, which the seed decides.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import adjusted_mutual_info_score

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # collapsed codes are fewer than the clusters
        clusters = KMeans(len(np.unique(labels)), n_init=4, random_state=seed).fit_predict(vectors)
    return float(adjusted_mutual_info_score(labels, clusters))


def _measured(features: Features) -> dict[str, float]:
    rows = np.random.default_rng(features.seed).permutation(len(features.val))[:_MOST]
    vectors = np.asarray(features.val[rows], "float32")
    return {"ami": cluster_agreement(vectors, features.val_labels[rows], features.seed)}


_ABOUT = "- AMI: adjusted mutual information of classes and k-means clusters, as many clusters as classes."
_AMI = share("ami", "AMI", table="Clusters")
CLUSTERS = Evaluator("clusters", RETRIEVAL, {LABELS}, _measured, (_AMI,), _ABOUT)
