"""Lower bounds on mutual information as pure functions of critic scores.

Every objective takes

    positive [B, L]      score of the code of image i with location l of the same image
    negative [B, K, L]   score of the code of image i with location l of the k-th other image

and returns a loss to minimise and, apart from it, the estimate in nats that this loss carries. The
two differ in sign and offset, so a loss may be negative or start at 8 without anything being wrong.
Scores are logits; everything is computed in float32 whatever they come in. Global Deep InfoMax is
the case L = 1.

To add an objective, write its function here and name it in `OBJECTIVES`.
"""

import math
from typing import Any, NamedTuple

from keras import ops


class Estimate(NamedTuple):
    """A loss and what it says about mutual information, both float32 scalars in nats."""

    loss: Any
    bound: Any


def info_nce(positive, negative) -> Estimate:
    """InfoNCE (Deep InfoMax, eq. 5): find the true location among those of all the other images.

    The candidates for code i and location l are location l of image i and all K·L locations of the
    K other images; other locations of image i are neither positive nor negative. With

        loss = mean over i, l of  log(exp s[i, i, l] + sum over k, m of exp s[i, k, m]) - s[i, i, l]

    the bound log(1 + K·L) - loss can never exceed log(1 + K·L). At equal scores the loss is
    log(1 + K·L) and the bound 0. Adding a constant to all scores changes nothing.
    """
    positive, negative = _float32(positive), _float32(negative)
    _, K, L = ops.shape(negative)
    others = ops.logsumexp(negative, axis=(1, 2))[:, None]
    loss = ops.mean(ops.softplus(others - positive))
    return Estimate(loss, ops.log(1.0 + ops.cast(K * L, "float32")) - loss)


def jensen_shannon(positive, negative) -> Estimate:
    """Jensen-Shannon (Deep InfoMax, eq. 4): tell true pairs from mismatched ones, one by one.

        loss = mean softplus(-positive) + mean softplus(negative)

    which is binary cross-entropy, once per kind of pair, and 2·log 2 at zero scores. The estimate
    2·log 2 - loss is a lower bound on twice the Jensen-Shannon divergence between the joint
    distribution and the product of the marginals: at most 2·log 2, and not mutual information.
    """
    positive, negative = _float32(positive), _float32(negative)
    loss = ops.mean(ops.softplus(-positive)) + ops.mean(ops.softplus(negative))
    return Estimate(loss, 2 * math.log(2) - loss)


OBJECTIVES = {"infonce": info_nce, "jsd": jensen_shannon}


def critic_accuracy(positive, negative):
    """How often a true pair outscores a mismatched pair of the same location; 0.5 is chance.

    Ties count one half. Unlike a threshold at zero this does not depend on the offset of the
    scores, which InfoNCE leaves free.
    """
    margin = _float32(positive)[:, None, :] - _float32(negative)
    return ops.mean(0.5 * (ops.sign(margin) + 1))


def _float32(scores):
    return ops.cast(scores, "float32")
