"""Lower bounds on mutual information as pure functions of critic scores.

Every objective takes

    positive [B, L]      score of the code of image i with location l of the same image
    negative [B, K, L]   score of the code of image i with location l of the k-th other image

and returns a loss to minimise and, apart from it, the estimate in nats that this loss carries. The
two differ in sign and offset, so a loss may be negative or start at 8 without anything being wrong.
Scores are logits, softly clipped before or not, see `soft_clip`; everything is computed in float32 whatever
they come in. Global Deep InfoMax is the case L = 1.

To add an objective, write its function here, put it into `OBJECTIVES`, and its name into `dim.choices`.
"""

import math
from typing import Any, NamedTuple

from keras import ops

from dim import choices


class Estimate(NamedTuple):
    """A loss and what it says about mutual information, both float32 scalars in nats."""

    loss: Any
    bound: Any


def info_nce(positive, negative) -> Estimate:
    """InfoNCE (Deep InfoMax, eq. 5): find the true location among those of all the other images.

    The candidates for code i and location l are location l of image i and all K·L locations of the
    K other images; other locations of image i are neither positive nor negative.

        loss  = mean over i, l of  log(exp s[i, i, l] + sum over k, m of exp s[i, k, m]) - s[i, i, l]
        bound = log(1 + K·L) - loss

    The loss is positive, and log(1 + K·L) at equal scores, where the bound is 0. The bound can never
    exceed log(1 + K·L), however large the information; it takes the candidates to be independent, which
    locations of one image are not. Adding a constant to all scores changes nothing.
    """
    positive, negative = _float32(positive), _float32(negative)
    _, K, L = ops.shape(negative)
    others = ops.logsumexp(negative, axis=(1, 2))[:, None]
    loss = ops.mean(ops.softplus(others - positive))
    return Estimate(loss, ops.log(1.0 + ops.cast(K * L, "float32")) - loss)


def jensen_shannon(positive, negative) -> Estimate:
    """Jensen-Shannon (Deep InfoMax, eq. 4): tell true pairs from mismatched ones, one by one.

        loss  = mean softplus(-positive) + mean softplus(negative)
        bound = 2·log 2 - loss

    The loss is binary cross-entropy, once per kind of pair: positive, and 2·log 2 at zero scores, where
    the bound is 0. The bound is one on twice the Jensen-Shannon divergence between the joint
    distribution and the product of the marginals: at most 2·log 2, and not mutual information.
    """
    positive, negative = _float32(positive), _float32(negative)
    loss = ops.mean(ops.softplus(-positive)) + ops.mean(ops.softplus(negative))
    return Estimate(loss, 2 * math.log(2) - loss)


def donsker_varadhan(positive, negative) -> Estimate:
    """Donsker-Varadhan (Deep InfoMax, eq. 2): the bound on mutual information that MINE maximises.

        loss  = log mean exp(negative) - mean positive
        bound = -loss

    with one mean over all mismatched pairs, of every code and location. The loss has either sign, no limit,
    and is 0 at equal scores. Adding a constant to all scores changes nothing. The bound holds for exact
    means only: the log of the mean of a few exp(negative) is on average below the log of the true mean, so a
    batch reads too high, the more so the larger the information and the smaller the batch; the gradient has
    the same bias (MINE, https://arxiv.org/abs/1801.04062, section 3.2).
    """
    positive, negative = _float32(positive), _float32(negative)
    count = ops.cast(ops.size(negative), "float32")
    loss = ops.logsumexp(negative) - ops.log(count) - ops.mean(positive)
    return Estimate(loss, -loss)


NWJ_STRAIGHT_ABOVE = 20.0


def nwj(positive, negative) -> Estimate:
    """Nguyen, Wainwright and Jordan (https://arxiv.org/abs/0809.0853), also f-GAN's KL and MINE-f.

        loss  = mean exp(negative - 1) - mean positive
        bound = -loss

    The loss has either sign and no limit. At zero scores it is 1/e and the bound -1/e; the bound is 0
    where all scores are 1, and tight where they are 1 + the log of the density ratio, so unlike
    Donsker-Varadhan and InfoNCE it does not leave the offset free. Without a log around the mean a
    batch has no bias, but a large variance.

    Above a score of 20 (`NWJ_STRAIGHT_ABOVE`) exp is continued by its tangent there: exp itself is
    infinite in float32 from 90 on, and then so are loss and gradient. The loss stays convex and its
    gradient is e¹⁹ for each score above, at any distance, so that such a batch is still driven back.
    Up to 20 nothing is changed; above, the loss is too low and bounds nothing, which mismatched scores
    reach only where the critic errs or a pair is e¹⁹ times likelier than chance.
    """
    positive, negative = _float32(positive), _float32(negative)
    curved = ops.exp(ops.minimum(negative, NWJ_STRAIGHT_ABOVE) - 1)
    loss = ops.mean(curved * (1 + ops.relu(negative - NWJ_STRAIGHT_ABOVE))) - ops.mean(positive)
    return Estimate(loss, -loss)


OBJECTIVES = dict(zip(choices.OBJECTIVES, (info_nce, jensen_shannon, donsker_varadhan, nwj), strict=True))


def soft_clip(scores, limit: float):
    """limit·tanh(scores / limit): the scores themselves near zero, never beyond ±limit, as float32.

    AMDIM (https://arxiv.org/abs/1906.00910) clips at 20. Far outside, the gradient vanishes, so it
    adds a penalty on the raw scores that pulls them back: `mean_square`. A limit of 0 leaves them alone.
    """
    scores = _float32(scores)
    return limit * ops.tanh(scores / limit) if limit else scores


def mean_square(positive, negative):
    """Mean of the squares of all scores, true and mismatched, a float32 scalar.

    AMDIM's code adds 0.05 times this to each loss, taken of the scores before `soft_clip`.
    """
    positive, negative = _float32(positive), _float32(negative)
    squares = ops.sum(ops.square(positive)) + ops.sum(ops.square(negative))
    return squares / ops.cast(ops.size(positive) + ops.size(negative), "float32")


def critic_accuracy(positive, negative):
    """How often a true pair outscores a mismatched pair of the same location; 0.5 is chance.

    Ties count one half. Unlike a threshold at zero this does not depend on the offset of the
    scores, which InfoNCE leaves free.
    """
    margin = _float32(positive)[:, None, :] - _float32(negative)
    return ops.mean(0.5 * (ops.sign(margin) + 1))


def _float32(scores):
    return ops.cast(scores, "float32")
