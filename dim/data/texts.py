"""Texts with classes, in two parts: one to learn from, one to be asked about."""

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Texts:
    """Some texts, the class of each, and what each is called."""

    texts: Sequence[str]
    labels: np.ndarray  # [N] int64 indices into the class names of the collection
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.texts)

    def rows(self, rows: np.ndarray) -> "Texts":
        """Some of them, by their numbers and in that order."""
        texts, names = ([each[i] for i in rows] for each in (self.texts, self.names))
        return Texts(texts, self.labels[rows], names)


@dataclass(frozen=True)
class Collection:
    """Training texts, test texts, and the names of the classes."""

    name: str
    train: Texts
    test: Texts
    class_names: Sequence[str]
    about: str  # how it was split, and what was left out

    @property
    def fingerprint(self) -> str:
        """Of all that a model sees."""
        held = [[list(part.texts), part.labels.tolist()] for part in (self.train, self.test)]
        return hashlib.sha256(json.dumps(held).encode("utf8", "surrogatepass")).hexdigest()

    def __str__(self) -> str:
        sizes = f"{len(self.train):,} train + {len(self.test):,} test"
        return f"{self.name}: {sizes} texts, {len(self.class_names)} classes ({self.about})"


def split_by_name(name: str, texts: Texts, class_names: Sequence[str], about: str = "") -> Collection:
    """Two fifths, by a hash of their names, are for testing; of these, near-duplicates are taken out.

    That are test texts whose cosine by TF-IDF to a training text is above 0.9: a cross-posting, or a text
    that is quoted whole. Empty texts are taken out, too.
    """
    full = np.array([bool(text.strip()) for text in texts.texts], bool)
    for_test = np.array(
        [zlib.crc32(each.encode("utf8", "surrogatepass")) % 5 < 2 for each in texts.names], bool
    )
    train, test = texts.rows(np.flatnonzero(full & ~for_test)), texts.rows(np.flatnonzero(full & for_test))
    repeated = near_duplicates(test.texts, train.texts)
    test = test.rows(np.flatnonzero(~repeated))
    out = (
        f"left out: {np.sum(~full):,} empty texts, {repeated.sum():,} test texts that repeat a training text"
    )
    described = "; ".join(filter(None, [about, "split by a hash of the names", out]))
    return Collection(name, train, test, class_names, described)


def near_duplicates(queries: Sequence[str], bank: Sequence[str], above: float = 0.9) -> np.ndarray:
    """Which texts, [Q] bool, have a cosine by TF-IDF above this to one of the others."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not queries or not bank:
        return np.zeros(len(queries), bool)
    vectors = TfidfVectorizer(token_pattern=r"\w+", dtype=np.float32)
    others, found = vectors.fit_transform(bank).T.tocsc(), []
    asked = vectors.transform(queries)
    for start in range(0, len(queries), 500):
        cosines = asked[start : start + 500] @ others
        found.append(cosines.max(axis=1).toarray().ravel() > above)
    return np.concatenate(found)
