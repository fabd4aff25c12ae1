"""Metric learning as pure functions of codes and labels: images of a class come near, others go far.

Every loss takes

    codes   [B, D]   one for each image
    labels  [B]      integers

and returns a float32 scalar to minimise, never negative, computed in float32 whatever the codes come in.
Any two images of the batch are a pair: same or different by their labels, and none is paired with
itself. An image without a same or without a different partner has nothing to be compared with and does
not count; a batch in which nothing counts has loss 0.

Distances are Euclidean, between the codes as they are; a margin means little unless codes have a fixed
length, see `dim.layers.unit`. Minimising puts same pairs at small distances, which are great similarities:
tutorials that put similarities where a triplet loss has distances push classes apart from themselves.

To add a loss, write its function here, put it into `LOSSES`, and its name into `dim.choices`.
"""

from keras import ops

from dim import choices
from dim.layers.unit import unit

_HUGE = 1e30


def contrastive(codes, labels, margin: float = 1.0):
    """Pulls same pairs together, pushes different ones a margin apart (Hadsell et al. 2006, eq. 4).

        loss = mean over same pairs of d²  +  mean over different pairs of max(0, margin - d)²

    http://yann.lecun.com/exdb/publis/pdf/hadsell-chopra-lecun-06.pdf has one half before both terms, and
    one mean over all pairs; here few same pairs weigh as much as many different ones, and a batch without
    one kind has the other's term alone. At collapse, d = 0 everywhere, the loss is margin², and its
    gradient is 0: identical codes give no direction to part in.
    """
    codes, same, different = _pairs(codes, labels)
    squares = _squared_distances(codes)
    return _mean(squares, same) + _mean(ops.square(ops.relu(margin - _root(squares))), different)


def cosine(codes, labels, margin: float = 0.0):
    """As `contrastive`, by angles: the loss that PyTorch calls CosineEmbeddingLoss.

        loss = mean over same pairs of (1 - cos)  +  mean over different pairs of max(0, cos - margin)

    Different pairs rest once their cosine is at most the margin. At collapse the loss is 1 - margin.
    """
    codes, same, different = _pairs(codes, labels)
    cosines = _products(unit(codes))
    return _mean(1 - cosines, same) + _mean(ops.relu(cosines - margin), different)


def triplet_hard(codes, labels, margin: float = 0.2):
    """Triplets of each anchor with its farthest same and its nearest different image (Hermans et al. 2017).

        loss = mean over anchors of max(0, margin + max d(anchor, same) - min d(anchor, different))

    Equation 5 of https://arxiv.org/abs/1703.07737, d not squared. At collapse the loss is the margin; a
    loss that stays just there means that the codes have collapsed.
    """
    codes, same, different = _pairs(codes, labels)
    distances = _root(_squared_distances(codes))
    farthest = ops.max(ops.where(same, distances, -_HUGE), axis=1)
    nearest = ops.min(ops.where(different, distances, _HUGE), axis=1)
    return _mean(ops.relu(margin + farthest - nearest), _any(same) & _any(different))


def triplet_semi_hard(codes, labels, margin: float = 0.2):
    """Triplets of each same pair with the nearest image that is farther, yet different (FaceNet).

        loss = mean over same pairs (a, p) of max(0, margin + d²(a, p) - d²(a, n))
        n    = the nearest different image with d(a, n) > d(a, p); the farthest where there is none

    https://arxiv.org/abs/1503.03832, section 3.2, with squared distances as there. The hardest n are
    avoided, by which training from scratch may collapse. At collapse the loss is the margin. Takes
    memory for B³ numbers.
    """
    codes, same, different = _pairs(codes, labels)
    squares = _squared_distances(codes)
    farther = different[:, None, :] & (squares[:, None, :] > squares[:, :, None])  # [a, p, n]
    nearest = ops.min(ops.where(farther, squares[:, None, :], _HUGE), axis=2)
    farthest = ops.max(ops.where(different, squares, -_HUGE), axis=1)
    n = ops.where(_any(farther), nearest, farthest[:, None])
    return _mean(ops.relu(margin + squares - n), same & _any(different)[:, None])


def supervised_contrastive(codes, labels, temperature: float = 0.1):
    """Finds the same images of an anchor among all others of the batch (Khosla et al. 2020, L_out, eq. 2).

        loss = mean over anchors i, then over the same images p, of
               log(sum over k ≠ i of exp(cos(i, k) / temperature)) - cos(i, p) / temperature

    https://arxiv.org/abs/2004.11362; InfoNCE of two views is the case of one same image for each anchor.
    log(B - 1) at collapse. With several same images it does not reach 0, for they compete: at best it is
    about the logarithm of their number.
    """
    codes, same, different = _pairs(codes, labels)
    scores = _products(unit(codes)) / temperature
    others = ops.logsumexp(ops.where(same | different, scores, -_HUGE), axis=1, keepdims=True)
    return _mean_of_rows(others - scores, same, _any(different))


def n_pair(codes, labels, temperature: float = 1.0):
    """Each same image against all different ones at once (Sohn 2016, eq. 7), by scalar products.

        loss = mean over anchors i, then over the same images p, of
               log(1 + sum over different images n of exp((s(i, n) - s(i, p)) / temperature))

    https://papers.nips.cc/paper/6200-improved-deep-metric-learning-with-multi-class-n-pair-loss-objective.
    There a batch holds one pair for each class, and n runs over the second image of the other pairs; here
    it runs over all different images. Sohn keeps codes short by a penalty, which is the caller's affair.
    log(1 + number of different images) at collapse.
    """
    codes, same, different = _pairs(codes, labels)
    scores = _products(codes) / temperature
    others = ops.logsumexp(ops.where(different, scores, -_HUGE), axis=1, keepdims=True)
    return _mean_of_rows(ops.softplus(others - scores), same, _any(different))


_BY_MARGIN = contrastive, cosine, triplet_hard, triplet_semi_hard
_BY_TEMPERATURE = supervised_contrastive, n_pair
LOSSES = dict(zip(choices.LOSSES, _BY_MARGIN + _BY_TEMPERATURE, strict=True))


def mean_cosines(codes, labels):
    """Of same and of different pairs: two float32 scalars, 0 where there are no such pairs."""
    codes, same, different = _pairs(codes, labels)
    cosines = _products(unit(codes))
    return _mean(cosines, same), _mean(cosines, different)


def _pairs(codes, labels):
    """Codes in float32, and which pairs are same and which are different, [B, B] bool each."""
    labels = ops.reshape(ops.cast(labels, "int32"), (-1,))
    alike = labels[:, None] == labels[None, :]
    number = ops.arange(ops.shape(labels)[0])
    return ops.cast(codes, "float32"), alike & (number[:, None] != number[None, :]), ~alike


def _products(codes):
    return ops.matmul(codes, ops.transpose(codes))


def _squared_distances(codes):
    """[B, B], by differences: expanding the square would not give 0 for identical codes."""
    return ops.sum(ops.square(codes[:, None] - codes[None, :]), axis=2)


def _root(squares):
    """Square roots whose gradient at 0 is 0 instead of infinite."""
    positive = squares > 0
    return ops.where(positive, ops.sqrt(ops.where(positive, squares, 1.0)), 0.0)


def _any(pairs):
    return ops.any(pairs, axis=-1)


def _mean(values, which):
    """Of the values that count; 0 if none does."""
    count = ops.sum(ops.cast(which, "float32"))
    return ops.sum(ops.where(which, values, 0.0)) / ops.maximum(count, 1.0)


def _mean_of_rows(values, same, counts):
    """Mean over the same images of each anchor, then over the anchors that have some and count."""
    same_images = ops.sum(ops.cast(same, "float32"), axis=1)
    rows = ops.sum(ops.where(same, values, 0.0), axis=1) / ops.maximum(same_images, 1.0)
    return _mean(rows, _any(same) & counts)
