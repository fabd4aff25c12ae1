"""Losses of recommendation: the film that a user liked scores above those that he did not choose.

Every loss takes

    cosines    [B, B]  of user i and the film of row j; on the diagonal are the true pairs
    negatives  [B, B]  bool: which of the others are mismatched; the diagonal is not
    log_share  [B]     log of how often the film of row j comes as a negative
    setting            temperature or margin

and returns a float32 scalar to minimise, never negative. Popular films come often, and as negatives, too;
without `log_share` that pushes them down. A row without a negative does not count.

A cosine is of two codes: the tutorial that this project started from gave it one.

To add a loss, write its function here, put it into `LOSSES`, and its name into `dim.choices`.
"""

from keras import ops

from dim import choices

_HUGE = 1e30


def info_nce(cosines, negatives, log_share, temperature: float = 0.1):
    """In-batch softmax, with the correction for sampling by popularity (logQ; Yi et al. 2019, eq. 4).

        s[i, j] = cos[i, j] / temperature - log_share[j]
        loss    = mean over i of  log(exp s[i, i] + sum over negatives j of exp s[i, j]) - s[i, i]

    https://doi.org/10.1145/3298689.3346996. At equal cosines and shares it is log(1 + number of negatives).
    """
    scores = ops.cast(cosines, "float32") / temperature - log_share
    others = ops.logsumexp(ops.where(negatives, scores, -_HUGE), axis=1)
    return _mean(ops.softplus(others - _true(scores)), ops.any(negatives, axis=1))


def bpr(cosines, negatives, log_share, temperature: float = 0.1):
    """Bayesian personalised ranking, pair by pair (Rendle et al. 2009, by log sigmoid).

        loss = mean over i of the weighted mean over negatives j of
               softplus((cos[i, j] - cos[i, i]) / temperature)

    https://arxiv.org/abs/1205.2618. Weights are 1 / share, as if negatives were drawn evenly from all films;
    log 2 at equal cosines. Keras has no loss of this name, which the tutorial that this started from called.
    """
    cosines = ops.cast(cosines, "float32")
    pairs = ops.softplus((cosines - _true(cosines)[:, None]) / temperature)
    return _evenly(pairs, negatives, log_share)


def triplet(cosines, negatives, log_share, margin: float = 0.2):
    """The true cosine is a margin greater than that of each negative.

        loss = mean over i of the weighted mean over negatives j of max(0, margin + cos[i, j] - cos[i, i])

    Weighted as in `bpr`; the margin at equal cosines.
    """
    cosines = ops.cast(cosines, "float32")
    return _evenly(ops.relu(margin + cosines - _true(cosines)[:, None]), negatives, log_share)


LOSSES = dict(zip(choices.RECOMMENDATION_LOSSES, (info_nce, bpr, triplet), strict=True))


def _true(scores):
    return ops.diagonal(scores)


def _evenly(pairs, negatives, log_share):
    """Mean over rows that have negatives of the mean over these, weighted by 1 / share."""
    weights = ops.where(negatives, ops.exp(ops.min(log_share) - log_share), 0.0)
    rows = ops.sum(weights * pairs, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1e-30)
    return _mean(rows, ops.any(negatives, axis=1))


def _mean(rows, which):
    count = ops.sum(ops.cast(which, "float32"))
    return ops.sum(ops.where(which, rows, 0.0)) / ops.maximum(count, 1.0)
