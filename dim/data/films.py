"""Films and users as a network takes them: numbers from 1 on, 0 being none."""

import re
from collections.abc import Sequence
from zlib import crc32

import numpy as np
from scipy.sparse import csr_matrix

from dim.data.batches import Batches
from dim.data.leave_last_out import Split
from dim.data.movielens import Ratings

BUCKETS = 4096
"""How many numbers there are for words, genres and years; few share one by chance."""
_WORD = re.compile(r"[^\W_]+")
_MOST = 12  # features of a film; a longer title is cut off
_YEARS = 3  # that count as the same


def features(ratings: Ratings) -> np.ndarray:
    """What is known of each film without a rating: [1 + M, F] int, numbers of its features, then zeros.

    Genres, the time it was made, and the words of its title, each by a hash in place of a vocabulary. Row 0
    is of no film.
    """
    rows = np.zeros((1 + len(ratings.titles), _MOST), "int32")
    films = zip(ratings.titles, ratings.genres, ratings.years, strict=True)
    for row, (title, genres, year) in zip(rows[1:], films, strict=True):
        words = _WORD.findall(title.lower())
        words = words[:-1] if year else words
        names = [f"genre {g}" for g in genres] + [f"years {year // _YEARS}"] * bool(year) + words
        numbers = [1 + crc32(name.encode("utf8", "replace")) % BUCKETS for name in dict.fromkeys(names)][
            :_MOST
        ]
        row[: len(numbers)] = numbers
    return rows


def windows(liked: Sequence[np.ndarray], length: int) -> np.ndarray:
    """The last films of Q histories: [Q, n] int numbers, the latest last, zeros before the first."""
    rows = np.zeros((len(liked), length), "int32")
    for row, films in zip(rows, liked, strict=True):
        if len(films):
            row[-len(films[-length:]) :] = films[-length:] + 1
    return rows


def counts(split: Split, films: int) -> np.ndarray:
    """[M] int, how often each film was rated well in training."""
    return np.bincount(np.concatenate(split.liked), minlength=films)


def interactions(liked: Sequence[np.ndarray], films: int) -> csr_matrix:
    """Who likes what: [Q, M], ones."""
    ends = np.cumsum([0, *map(len, liked)])
    return csr_matrix((np.ones(ends[-1], "float32"), np.concatenate(liked), ends), (len(liked), films))


class NextFilms(Batches):
    """Batches of films that users rated well, each with those before it, endless like the others.

    A batch is one dictionary, of B rows:

        user       [B]     int
        history    [B, n]  int, films rated well before this one, see `windows`; the film is never in it
        film       [B]     int
        negatives  [B, B]  bool, whether the film of row j may stand for what the user of row i does not
                           choose then; it may not if he chooses it in this row, or rated it well before
        log_share  [B]     float, log of the film's share of all rows: how often it comes as a negative

    The rows are `.row` and `.col` of the matrix of who likes what, which only its COO form has: the tutorial
    that this project started from read pairs from a sparse matrix without them.
    """

    def __init__(self, split: Split, films: int, length: int, batch_size: int, seed: int, first: int = 0):
        self.liked = interactions(split.liked, films)
        pairs = self.liked.tocoo()
        self.turn = np.concatenate([np.arange(1, 1 + len(own)) for own in split.liked]).astype("float32")
        self.turns = csr_matrix((self.turn, self.liked.indices, self.liked.indptr), self.liked.shape)
        super().__init__(pairs.col, batch_size, seed, first, labels=pairs.row)
        self.history = windows([own[:t] for own in split.liked for t in range(len(own))], length)
        self.log_share = np.log(np.maximum(counts(split, films), 1) / len(pairs.col)).astype("float32")

    def _batch(self, index: int) -> tuple[dict[str, np.ndarray]]:
        epoch, step = divmod(self.first + index, self.steps_per_epoch)
        rows = self._order(epoch)[step]
        user, film = self.labels[rows], self.images[rows]
        batch = {"user": (user + 1).astype("int32"), "history": self.history[rows], "film": film + 1}
        turns = self.turns[user][:, film].toarray()  # 0 where he never does
        batch["negatives"] = (turns == 0) | (turns > self.turn[rows][:, None])
        batch["log_share"] = self.log_share[film]
        return (batch,)
