"""An encoder of texts: tokens in, a map of their contexts and a code out."""

import keras
import numpy as np
from keras import layers

from dim.data.tokens import TOKENS
from dim.encoders.ends import FEATURE_MAP, FEATURES, MEAN
from dim.layers.tokens import Presence, WeightedMean

_AROUND = 5  # tokens
_EMBEDDING, _LOG_WEIGHTS = "embedding", "log_weights"


def text_encoder(
    code_size: int = 256, context: bool = True, dropout: float = 0.3, seed: int = 0
) -> keras.Model:
    """A weighted mean of what tokens mean where they stand.

        x    = embedding of the token
        map  = x + a convolution over the 5 tokens around it        (without `context` x itself)
        code = sum of w·map / sum of w over the tokens of the text, w > 0 a weight of each token

    Takes tokens [B, T] int32 of `dim.data.tokens`, any number of them, and gives a dictionary as every
    encoder does: the map [B, T, 1, D], a text being an image one token wide, and the code [B, D]. That is 0
    of a text without tokens, and padding does not change it. The embedding starts at random and the
    convolution at 0, so that codes are random projections of weighted counts, with their cosines but for
    noise; by the weights of `weigh_by_rarity` they are those of TF-IDF. Training leaves out tokens with the
    probability `dropout`, by the seed.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    present = Presence()(tokens)
    start = keras.initializers.RandomNormal(stddev=code_size**-0.5)
    x = layers.Embedding(TOKENS, code_size, embeddings_initializer=start, name=_EMBEDDING)(tokens)
    if context:
        seen = layers.Multiply()([x, present])
        around = layers.ReLU()(layers.DepthwiseConv1D(_AROUND, padding="same", use_bias=False)(seen))
        x = layers.Add()([x, layers.Dense(code_size, use_bias=False, kernel_initializer="zeros")(around)])
    feature_map = layers.Reshape((-1, 1, code_size), name=FEATURE_MAP)(x)
    logarithms = layers.Embedding(TOKENS, 1, embeddings_initializer="zeros", name=_LOG_WEIGHTS)(tokens)
    features = WeightedMean(dropout, seed, name=FEATURES)(x, logarithms, present)
    code = layers.Identity(dtype="float32", name=MEAN)(features)
    return keras.Model(tokens, {FEATURE_MAP: feature_map, MEAN: code}, name="encoder")


def weigh_by_rarity(encoder: keras.Model, tokens: np.ndarray, power: float = 1.0) -> keras.Model:
    """Sets the weights of a text encoder to the inverse document frequencies of training texts; returns it.

        w = (log((1 + N) / (1 + texts of the N with the token)) + 1) ^ power

    at a power of 1 as scikit-learn has them. Tokens are [N, T] int32; labels are not asked for.
    """
    N, seen = len(tokens), np.zeros(TOKENS)
    for row in tokens:
        seen[np.unique(row)] += 1
    rarity = np.log((1 + N) / (1 + seen)) + 1
    encoder.get_layer(_LOG_WEIGHTS).set_weights([power * np.log(rarity)[:, None].astype("float32")])
    return encoder


def start_from_svd(encoder: keras.Model, tokens: np.ndarray, seed: int = 0) -> keras.Model:
    """Starts a text encoder as latent semantic analysis of training texts, in place of at random; returns it.

    Rows of the embedding are the first singular vectors of the weighted counts of the texts, so that tokens
    of the same texts have similar ones and those of no text have 0; all are scaled to a mean square length
    of 1. Weights are rarities squared: by rarities alone the first directions are those of common words,
    which tell little. Tokens are [N, T] int32; fewer than D texts have but N directions. Labels are not
    asked for.
    """
    from scipy.sparse import csr_array
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    (log_weights,) = weigh_by_rarity(encoder, tokens, power=2.0).get_layer(_LOG_WEIGHTS).get_weights()
    rows, places = np.nonzero(tokens)
    numbers, shape = tokens[rows, places], (len(tokens), TOKENS)
    counts = normalize(csr_array((np.exp(log_weights[numbers, 0]), (rows, numbers)), shape))
    embedding = encoder.get_layer(_EMBEDDING)
    vectors, D = np.zeros((TOKENS, embedding.output_dim)), min(embedding.output_dim, len(tokens))
    vectors[:, :D] = TruncatedSVD(D, random_state=seed).fit(counts).components_.T
    embedding.set_weights([vectors / np.sqrt(np.mean(np.sum(vectors**2, axis=1)))])
    return encoder
