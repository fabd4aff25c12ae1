"""Losses of pairs whose similarity somebody has graded, as pure functions of cosines and grades.

Every loss takes

    cosines  [B]   of the two codes of each pair
    grades   [B]   how alike they are, greater for more alike

and returns a float32 scalar to minimise, never negative.
"""

from keras import ops

from dim import choices


def cosent(cosines, grades, temperature: float = 0.05):
    """Orders pairs: whatever is graded higher shall have the greater cosine (CoSENT, Su Jianlin 2022).

        loss = log(1 + sum over pairs i, j with grade i > grade j of exp((cos j - cos i) / temperature))

    https://kexue.fm/archives/8847. Only the order of the grades matters. 0 in the limit of a right order
    with wide gaps, and where all grades are equal; log(1 + number of ordered pairs) at collapse.
    """
    cosines, grades = ops.cast(cosines, "float32"), ops.cast(grades, "float32")
    wrong = (cosines[None, :] - cosines[:, None]) / temperature  # [i, j]
    ordered = grades[:, None] > grades[None, :]
    return ops.softplus(ops.logsumexp(ops.where(ordered, wrong, -1e30)))


def regression(cosines, grades, temperature: float = 0.05):
    """Mean square of the differences of cosine and grade, which must be in [-1, 1]; it has no temperature.

    The classic objective of a Siamese model on graded pairs (Sentence-BERT, section 3:
    https://arxiv.org/abs/1908.10084).
    """
    return ops.mean(ops.square(ops.cast(cosines, "float32") - ops.cast(grades, "float32")))


GRADED = dict(zip(choices.GRADED, (cosent, regression), strict=True))
