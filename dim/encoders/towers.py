"""Two towers: from a film, and from a user with what he liked, to codes in one space.

A film is recommended by the cosine of the two codes, and films are alike by the cosine of theirs.
"""

import keras
from keras import layers, ops

from dim.choices import TOWERS
from dim.data.films import BUCKETS
from dim.layers.saved import SavesArguments
from dim.layers.unit import unit

_SMALL = keras.initializers.RandomNormal(stddev=0.05)


@keras.saving.register_keras_serializable("dim")
class FilmTower(SavesArguments, layers.Layer):
    """Codes [..., D] of unit length for films [...], numbers from 1 on.

        vector = embedding of the number  +  sum of the embeddings of its features / √(how many)

    or one of the two. Films without a rating to learn from have no embedding of their own but zero, so that
    `both` gives them the code of their features, and `ids` none: zeros.

    Args:
        films, features: M, and the most features that a film has, F.
        code_size: D.
        by: `ids`, `content` or `both`; ValueError for any other.
    """

    def __init__(self, films: int, features: int, code_size: int = 64, by: str = "both", **kwargs):
        if by not in TOWERS:
            raise ValueError(f"by must be one of {TOWERS}, not {by!r}")
        super().__init__(**kwargs)
        self.films, self.features, self.code_size, self.by = films, features, code_size, by

    def build(self, input_shape):
        def table(name, shape, kind):
            return self.add_weight(shape, "zeros", kind, trainable=False, name=name)

        self.known = table("known", (1 + self.films,), "float32")
        self.bags = table("bags", (1 + self.films, self.features), "int32")
        self.number = self.feature = None
        if self.by != "content":
            self.number = self.add_weight((1 + self.films, self.code_size), _SMALL.clone(), name="number")
        if self.by != "ids":
            self.feature = self.add_weight((1 + BUCKETS, self.code_size), _SMALL.clone(), name="feature")

    def describe(self, bags, known):
        """Tells it the features of each film [1 + M, F], and which have ratings to learn from [M] bool."""
        self.bags.assign(bags)
        self.known.assign(ops.concatenate([ops.zeros(1), ops.cast(known, "float32")]))

    def call(self, films):
        vectors = 0.0
        if self.number is not None:
            known = ops.take(self.known, films, axis=0)[..., None]
            vectors += ops.take(self.number, films, axis=0) * known
        if self.feature is not None:
            bags = ops.take(self.bags, films, axis=0)
            there = ops.cast(bags > 0, "float32")[..., None]
            sums = ops.sum(ops.take(self.feature, bags, axis=0) * there, axis=-2)
            vectors += sums / ops.sqrt(ops.maximum(ops.sum(there, axis=-2), 1.0))
        shape = ops.shape(vectors)
        return ops.reshape(unit(ops.reshape(vectors, (-1, self.code_size))), shape)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.code_size)


@keras.saving.register_keras_serializable("dim")
class UserTower(SavesArguments, layers.Layer):
    """Codes [B, D] of unit length for users, from who they are and what they liked last.

        code ∝ everybody  +  embedding of the user  +  sum over the last n films t of w(t) · code of film t

    The weights w are a softmax over the films that are there of one learned number for each place, so that
    it can be learned how soon a film is forgotten. A user of number 0, whom training has not seen, has no
    embedding; without a history, `everybody` is what is left.

    Args:
        users, code_size, length: U, D and n.
    """

    def __init__(self, users: int, code_size: int = 64, length: int = 10, **kwargs):
        super().__init__(**kwargs)
        self.users, self.code_size, self.length = users, code_size, length

    def build(self, user_shape, history_shape, codes_shape):
        self.number = self.add_weight((1 + self.users, self.code_size), _SMALL.clone(), name="number")
        self.everybody = self.add_weight((self.code_size,), _SMALL.clone(), name="everybody")
        self.place = self.add_weight((self.length,), "zeros", name="place")

    def call(self, user, history, codes):
        """Of users [B], films [B, n], and the codes [B, n, D] of these."""
        there = history > 0
        scores = ops.where(there, ops.exp(self.place - ops.max(self.place)), 0.0)
        weights = scores / ops.maximum(ops.sum(scores, axis=1, keepdims=True), 1e-9)
        seen = ops.cast(user > 0, "float32")[:, None]
        vectors = self.everybody + ops.take(self.number, user, axis=0) * seen
        return unit(vectors + ops.einsum("bn,bnd->bd", weights, codes))

    def compute_output_shape(self, user_shape, history_shape, codes_shape):
        return (*user_shape, self.code_size)
