"""The encoder of texts starts as TF-IDF, and nothing but tokens counts."""

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from dim.data.tokens import TOKENS, number, tokenised, words
from dim.encoders import text_encoder, weigh_by_rarity
from dim.encoders.embedding import embed
from dim.encoders.text import start_from_svd
from dim.measures.distances import cosine_distance

TEXTS = ["the cat sat on the mat", "a cat", "the dog ate the mat and a cat", "fish", "", "the the the"]


@pytest.fixture(scope="module", params=[True, False], ids=["context", "bag"])
def encoder(request):
    keras.utils.set_random_seed(3)
    encoder = weigh_by_rarity(text_encoder(512, context=request.param), tokenised(TEXTS, 12))
    if request.param:  # as after training, when the convolution is no longer 0
        dense = next(layer for layer in encoder.layers if isinstance(layer, keras.layers.Dense))
        encoder.trained = dense
    return encoder


def codes(encoder, texts, length=12):
    return embed(encoder, tokenised(texts, length))


def test_it_starts_as_tf_idf_but_for_the_noise_of_a_random_projection(encoder):
    vectors = TfidfVectorizer(analyzer=words).fit(TEXTS)
    expected = vectors.transform(TEXTS[:4]).toarray()
    found = codes(encoder, TEXTS[:4])
    for i in range(4):
        for j in range(4):
            theirs = 1 - cosine_distance(expected[i], expected[j])
            assert 1 - cosine_distance(found[i], found[j]) == pytest.approx(theirs, abs=0.12)


def test_the_code_is_the_weighted_mean_of_the_map_by_a_slow_loop(encoder):
    tokens = tokenised(TEXTS, 12)
    outputs = {name: ops.convert_to_numpy(x) for name, x in encoder(tokens).items()}
    (log_weights,) = encoder.get_layer("log_weights").get_weights()
    assert outputs["feature_map"].shape == (6, 12, 1, 512)
    for row, each, code in zip(tokens, outputs["feature_map"], outputs["mean"], strict=True):
        total, weights = np.zeros(512), 0.0
        for token, x in zip(row, each[:, 0], strict=True):
            if token:
                total += np.exp(log_weights[token, 0]) * x
                weights += np.exp(log_weights[token, 0])
        np.testing.assert_allclose(code, total / max(weights, 1e-6), atol=1e-5)


def test_padding_changes_no_code_and_an_empty_text_is_zero(encoder):
    if hasattr(encoder, "trained"):
        rng, kernel = np.random.default_rng(0), encoder.trained.get_weights()[0]
        encoder.trained.set_weights([rng.normal(0, 0.05, kernel.shape)])
    short, long = codes(encoder, TEXTS), codes(encoder, TEXTS, length=62)
    np.testing.assert_allclose(short, long, atol=1e-6)
    np.testing.assert_array_equal(short[4], 0)
    assert np.abs(short[[0, 1, 2, 3, 5]]).max(axis=1).min() > 0


def test_with_context_the_order_of_words_counts_once_it_has_learned():
    keras.utils.set_random_seed(0)
    encoder = text_encoder(32)
    dense = next(layer for layer in encoder.layers if isinstance(layer, keras.layers.Dense))
    pair = ["dog bites man", "man bites dog"]
    one, other = codes(encoder, pair)
    np.testing.assert_allclose(one, other, atol=1e-6)
    dense.set_weights([np.eye(32, dtype="float32")])
    one, other = codes(encoder, pair)
    assert np.abs(one - other).max() > 1e-3


def test_weights_are_the_rarities_of_scikit_learn():
    encoder = weigh_by_rarity(text_encoder(8, context=False), tokenised(TEXTS, 12))
    (log_weights,) = encoder.get_layer("log_weights").get_weights()
    vectors = TfidfVectorizer(analyzer=words).fit(TEXTS)
    for word, i in vectors.vocabulary_.items():
        assert np.exp(log_weights[number(word), 0]) == pytest.approx(vectors.idf_[i], rel=1e-5)
    assert log_weights.shape == (TOKENS, 1)
    weigh_by_rarity(encoder, tokenised(TEXTS, 12), power=2.0)
    np.testing.assert_allclose(encoder.get_layer("log_weights").get_weights()[0], 2 * log_weights, rtol=1e-6)


def test_started_from_singular_vectors_its_codes_have_the_cosines_of_latent_semantic_analysis():
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{i}" for i in rng.integers(0, 60, 3 + 3 * k % 17)) for k in range(40)]
    tokens, vectors = tokenised(texts, 24), TfidfVectorizer(analyzer=words, norm=None)
    counts = vectors.fit_transform(texts).multiply(vectors.idf_[None])  # rarities squared
    expected = TruncatedSVD(12, random_state=0).fit_transform(normalize(counts.tocsr()))
    encoder = start_from_svd(text_encoder(12, context=False), tokens)
    found = embed(encoder, tokens)
    np.testing.assert_allclose(
        normalize(found) @ normalize(found).T, normalize(expected) @ normalize(expected).T, atol=1e-3
    )
    (embedding,) = encoder.get_layer("embedding").get_weights()
    assert np.mean(np.sum(embedding**2, axis=1)) == pytest.approx(1, rel=1e-4)
    np.testing.assert_array_equal(codes(encoder, ["unheard of", ""]), 0)


def test_fewer_texts_than_the_code_is_long_give_as_many_directions():
    found = codes(start_from_svd(text_encoder(9, context=False), tokenised(TEXTS, 12)), TEXTS)
    assert np.isfinite(found).all() and np.abs(found[:4]).max(axis=1).min() > 0
    np.testing.assert_array_equal(found[:, len(TEXTS) :], 0)


def test_training_leaves_tokens_out_and_use_does_not():
    keras.utils.set_random_seed(0)
    encoder, tokens = text_encoder(8, dropout=0.5), tokenised(TEXTS[:3], 12)
    once, again = (ops.convert_to_numpy(encoder(tokens, training=True)["mean"]) for _ in range(2))
    assert np.abs(once - again).max() > 1e-4
    np.testing.assert_array_equal(*(ops.convert_to_numpy(encoder(tokens)["mean"]) for _ in range(2)))


def test_gradients_reach_embedding_weights_and_context():
    encoder, tokens = text_encoder(8, dropout=0.0), tokenised(TEXTS, 12)
    model = keras.Sequential([encoder, _Code(), keras.layers.Dense(1)])
    before = [np.array(w) for w in encoder.get_weights()]
    model.compile(keras.optimizers.SGD(1.0), "mse")
    for _ in range(2):  # the convolution's own gradient is 0 while what follows it is
        model.train_on_batch(tokens, np.arange(6.0)[:, None])
    changed = [np.abs(a - b).max() > 0 for a, b in zip(before, encoder.get_weights(), strict=True)]
    assert all(changed) and len(changed) == 4


class _Code(keras.layers.Layer):
    def call(self, outputs):
        return outputs["mean"]


def test_it_is_saved_and_loaded(encoder, tmp_path):
    encoder.save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    np.testing.assert_array_equal(codes(encoder, TEXTS), codes(loaded, TEXTS))
