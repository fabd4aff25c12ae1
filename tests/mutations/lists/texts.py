"""Errors in texts: tokens, windows, encoder, graded pairs, runs, and fonts."""

from edits import edits_of

EDITS = [
    *edits_of(
        "dim/data/tokens.py",
        "tests/data/test_tokens.py",
        ("words keep their case", "text.lower()", "text"),
        ("pieces without the ends of the word", 'f"<{word}>"', "word"),
        ("the last piece is left out", "len(marked) - n + 1", "len(marked) - n"),
        ("the number of a token may be that of none", "return 1 + zlib", "return zlib"),
    ),
    *edits_of(
        "dim/data/texts.py",
        "tests/data/test_texts.py",
        ("near-duplicates are asked for, too", "np.flatnonzero(~repeated)", "np.arange(len(test))"),
        ("empty texts are kept", "full & ~for_test", "~for_test"),
        (
            "names of other texts",
            "for each in (self.texts, self.names)",
            "for each in (self.texts, self.texts)",
        ),
        ("similar to any, not to the nearest", "cosines.max(axis=1)", "cosines.min(axis=1)"),
    ),
    *edits_of(
        "dim/data/newsgroups.py",
        "tests/data/test_newsgroups.py",
        ("headers stay", "known.strip_newsgroup_header(post)", "post"),
        ("signatures stay", "known.strip_newsgroup_footer(body)", "body"),
        ("the group of another post", "groups.index(group) for group", "groups.index(groups[0]) for group"),
    ),
    *edits_of(
        "dim/data/sentence_pairs.py",
        "tests/data/test_sentence_pairs.py",
        ("grades as they are written", "float(cells[4]) / _GREATEST", "float(cells[4])"),
        ("the same sentence twice", "one, other = cells[5:7]", "one, other = cells[5], cells[5]"),
        ("quotes are syntax", "quoting=csv.QUOTE_NONE", "quoting=csv.QUOTE_MINIMAL"),
        ("test pairs are training pairs", 'f"sts-{part}.csv") for part', '"sts-train.csv") for part'),
    ),
    *edits_of(
        "dim/layers/tokens.py",
        "tests/layers/test_tokens.py",
        ("windows begin at the start", "(start + ops.arange", "(0 * start + ops.arange"),
        ("the last window never comes", "there - self.length, 0) + 1", "there - self.length, 0)"),
        ("windows run into the padding", "% ops.maximum(there, 1)", "% 10**6"),
        ("padding counts", "ops.exp(logarithms) * present", "ops.exp(logarithms)"),
        ("weights are not exponentials", "ops.exp(logarithms)", "logarithms"),
    ),
    *edits_of(
        "dim/encoders/text.py",
        "tests/encoders/test_text.py",
        ("context sees what stands in the padding", "layers.Multiply()([x, present])", "x"),
        ("rarities of all tokens", "np.unique(row)", "row"),
        ("weights are frequencies", "(1 + N) / (1 + seen)", "(1 + seen) / (1 + N)"),
        ("no token is left out", "WeightedMean(dropout, seed", "WeightedMean(0.0, seed"),
    ),
    *edits_of(
        "dim/losses/graded.py",
        "tests/losses/test_graded.py",
        ("the order upside down", "grades[:, None] > grades[None, :]", "grades[:, None] < grades[None, :]"),
        ("equal grades are ordered", "grades[:, None] > grades", "grades[:, None] >= grades"),
        ("no temperature", "cosines[:, None]) / temperature", "cosines[:, None])"),
        (
            "the sign of the difference",
            "cosines[None, :] - cosines[:, None]",
            "cosines[:, None] - cosines[None, :]",
        ),
    ),
    *edits_of(
        "dim/methods/siamese.py",
        "tests/methods/test_siamese.py",
        ("the first of a pair twice", "[pairs[:, 0], pairs[:, 1]]", "[pairs[:, 0], pairs[:, 0]]"),
        ("codes are not of length 1", "ops.split(unit(y_pred[MEAN]), 2)", "ops.split(y_pred[MEAN], 2)"),
    ),
    *edits_of(
        "dim/evaluation/graded.py",
        "tests/evaluation/test_graded.py",
        ("words in common of all words of both", "len(a | b)", "(len(a) + len(b))"),
        (
            "rarities of what is asked",
            "TfidfVectorizer().fit(known)",
            "TfidfVectorizer().fit(first + second)",
        ),
        ("distances, not cosines", "return 1 - cosine_distance", "return cosine_distance"),
    ),
    *edits_of(
        "dim/evaluation/texts.py",
        "tests/evaluation/test_texts.py",
        ("training vectors as long as they are", "fit(normalize(train), labels)", "fit(train, labels)"),
        ("F1 of all texts", 'average="macro"', 'average="micro"'),
        ("every draw is the same", "default_rng([count, draw])", "default_rng(count)"),
        ("all labels are told", "some[:count] for some", "some for some"),
    ),
    *edits_of(
        "dim/training/texts.py",
        "tests/training/test_texts.py",
        ("Deep InfoMax is told the labels", 'None if s.method == "dim" else targets', "targets"),
        ("weights start alike", "    weigh_by_rarity(encoder, tokens", "    len(tokens"),
        ("the seed of initial weights", "set_random_seed(s.seed)", "set_random_seed(0)"),
    ),
    *edits_of(
        "dim/training/loop.py",
        "tests/training/test_texts.py",
        (
            "a resumed run sees the first batches",
            "batches.first, look = done * steps",
            "batches.first, look = 0",
        ),
        ("numbers do not reach the log", 'logs[f"val_{name}"] = value', "pass"),
    ),
    *edits_of(
        "dim/pictures/fonts.py",
        "tests/pictures/test_fonts.py",
        ("letters are lost", "_escaped(letter) if letter in lacking else letter", "letter"),
        ("fonts of the system are not looked at", "if not _lacking(file, letters):", "if False:"),
    ),
]
