"""The information toolkit: what Deep InfoMax is made of, each piece small, exact and on its own.

Arrays in, numbers out, float64, in nats unless a `base` is given (`base=2`: bits). What an argument must be
is checked, and a ValueError names the argument and the remedy. Everything in this folder is NumPy, SciPy and
scikit-learn and knows nothing of the rest of the project; the bounds that train a critic by Keras live in
`dim.evaluation.neural_bounds` and are only named here.

    discrete             entropy and divergences of probability tables
    gaussian             divergences and mutual information of normal distributions, in closed form
    information          mutual information from tables, bins and neighbours; the most informative features
    distances            norms, distances, covariance with shrinkage
    centroid             nearest-centroid classifier with any of the distances
"""

from importlib import import_module

_NAMES = {
    "dim.measures.centroid": "CentroidClassifier",
    "dim.measures.discrete": """cross_entropy entropy jeffreys_divergence jensen_shannon_divergence
        kl_divergence probabilities_from_counts""",
    "dim.measures.distances": """cosine_distance estimate_covariance lp_distance lp_norm mahalanobis_distance
        mahalanobis_to_samples pairwise_blocks pairwise_distances""",
    "dim.measures.gaussian": """kl_between_diagonal_gaussians kl_between_gaussians kl_to_standard_normal
        mutual_information_of_gaussian""",
    "dim.measures.information": """binned_mutual_information feature_information ksg_mutual_information
        most_informative_feature most_informative_pair mutual_information pair_information plug_in_bias
        pointwise_mutual_information""",
    "dim.evaluation.neural_bounds": "NeuralBound neural_bound variational_bound",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = sorted(_HOME)


def __getattr__(name: str):
    """Imports what is asked for when it is asked for: entropy needs no scikit-learn, and no Keras."""
    if name not in _HOME:
        raise AttributeError(f"module 'dim.measures' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
