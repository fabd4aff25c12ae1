"""Gauges of how codes fill their space, none of which needs labels."""

import numpy as np
from keras import ops
from scipy.linalg import svdvals
from scipy.spatial.distance import pdist
from scipy.special import logsumexp

from dim.evaluation.evaluator import CODES, GEOMETRY, Column, Evaluator, Features
from dim.layers.random_view import RandomView
from dim.measures.distances import directions

_RANK_ME_IMAGES, _UNIFORMITY_IMAGES, _ALIGNMENT_IMAGES = 25_600, 5000, 2000


def rank_me(codes: np.ndarray) -> float:
    """How many directions the codes [N, D] use, smoothly counted.

        exp(-Σ p ln p)   with  p = σ / Σσ + 1e-7

    and σ the singular values of the codes as they are, not centred (Garrido et al. 2023, eq. 1-2,
    https://arxiv.org/abs/2210.02885). 1 if all codes lie on one line through 0, D if they spread evenly. N is
    to be D or more; the paper takes 25,600.
    """
    return smooth_rank(svdvals(np.asarray(codes, "float64")))


def smooth_rank(values: np.ndarray) -> float:
    """The same from singular values, [K]."""
    p = values / max(values.sum(), np.finfo("float64").tiny) + 1e-7
    return float(np.exp(-np.sum(p * np.log(p))))


def alignment(codes: np.ndarray, others: np.ndarray) -> float:
    """How far the two codes of a pair are apart: mean ‖f(x) - f(y)‖² of L2-normalised codes.

    Wang and Isola 2020, eq. 2 with α = 2 (https://arxiv.org/abs/2005.10242): 0 at best, 2 for pairs at right
    angles. Row i of both, [N, D] each, is a pair, such as two views of one image.
    """
    difference = directions(np.asarray(codes, "float64")) - directions(np.asarray(others, "float64"))
    return float(np.mean(np.sum(difference**2, axis=1)))


def uniformity(codes: np.ndarray) -> float:
    """How evenly L2-normalised codes cover the sphere: ln mean exp(-2 ‖f(x) - f(y)‖²) over all pairs.

    Wang and Isola 2020, eq. 3 with t = 2, over the N(N - 1)/2 pairs of different rows of codes [N, D], in
    time and memory of N². 0 if all codes are one, -4 + ln ₀F₁(D/2; 4) if they are spread evenly, which is
    close to -4 for long codes.
    """
    exponents = -2 * pdist(directions(np.asarray(codes, "float64")), "sqeuclidean")
    return float(logsumexp(exponents) - np.log(len(exponents)))


def direction_spread(codes: np.ndarray) -> float:
    """√D times the mean standard deviation of the components of L2-normalised codes [N, D].

    About 1 when directions are spread evenly, 0 when all codes point the same way. The loss can fall
    while this falls too, which is what a gauge is for.
    """
    return float(directions(codes).std(axis=0).mean() * np.sqrt(codes.shape[1]))


def _measured(features: Features) -> dict:
    """Of random training codes the rank and, for the figure, the spectrum; the rest of validation images."""
    rng, train, val = features.rng, features.train, features.val
    shown = train[rng.permutation(len(train))[:_RANK_ME_IMAGES]]
    spectrum = svdvals(np.asarray(shown, "float64"))
    return {
        "direction_spread": direction_spread(val),
        "rank_me": smooth_rank(spectrum),
        "alignment": alignment(*_codes_of_two_views(features)),
        "uniformity": uniformity(val[rng.permutation(len(val))[:_UNIFORMITY_IMAGES]]),
        "spectrum": (spectrum / max(spectrum[0], np.finfo(float).tiny)).tolist(),
    }


def _codes_of_two_views(features: Features) -> list[np.ndarray]:
    """Of the same views of the same images, whatever the features."""
    random_view = RandomView(features.configuration.crop, seed=features.seed)
    images = features.dataset.val.images[:_ALIGNMENT_IMAGES]
    blocks = [np.asarray(images[i : i + 250]) for i in range(0, len(images), 250)]
    views = (np.concatenate([ops.convert_to_numpy(random_view(block)) for block in blocks]) for _ in range(2))
    return [features.embed(view) for view in views]


_COLUMNS = (
    Column("direction_spread", "direction spread"),
    Column("rank_me", "RankMe", digits=1),
    Column("alignment", "alignment"),
    Column("uniformity", "uniformity"),
)
_ABOUT = """
- direction spread: √D times the standard deviation of L2-normalised codes; 1 if they spread evenly, 0 if
  they have collapsed. RankMe: effective number of dimensions, of the training codes (Garrido et al. 2023).
- alignment: mean squared distance of two random views of an image; uniformity: ln mean exp(-2 d²) over pairs
  of images. Both of L2-normalised codes; less is better, but only in both together (Wang and Isola 2020).
"""
GAUGES = Evaluator("gauges", GEOMETRY, {CODES}, _measured, _COLUMNS, _ABOUT)
