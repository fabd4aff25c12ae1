"""Nearest neighbours of vectors: exact, by an index, near-duplicates. Knows vectors, not Keras."""
