"""Errors in what searches: neighbours, FAISS indexes, duplicates, the index of a data set."""

from edits import edits_of

EDITS = [
    *edits_of(
        "dim/export/runtime.py",
        "tests/export/test_runtime.py",
        ("its use reported", 'os.environ["ORT_DISABLE_TELEMETRY"] = "1"', "pass"),
    ),
    *edits_of(
        "dim/search/nearest.py",
        "tests/search/test_nearest.py",
        ("L2 distances without the root", "return np.sqrt(squares)", "return squares"),
        ("cosine distance doubled", "np.float32(1), squares / 2)", "np.float32(1), squares)"),
        ("a zero vector lies at distance 0", "np.where(zero, np.float32(1)", "np.where(zero, np.float32(0)"),
        ("each block counts from 0", "indices + start", "indices"),
        (
            "the last one dropped, not the query itself",
            "dropped = found.indices == own[:, None]",
            "dropped = np.zeros(found.indices.shape, bool)",
        ),
        ("no place for the query itself", "wanted = k if own is None else k + 1", "wanted = k"),
        ("a covariance for its inverse", "axes / np.sqrt(", "axes * np.sqrt("),
        (
            "whitening without the root",
            "axes / np.sqrt(np.maximum(variance, floor))",
            "axes / np.maximum(variance, floor)",
        ),
        (
            "candidates that are none lie somewhere",
            "np.where(rows < 0, np.inf, ",
            "np.where(rows < -1, np.inf, ",
        ),
        ("L1 searched by L2", 'faiss.METRIC_L1 if metric == "l1" else faiss.METRIC_L2', "faiss.METRIC_L2"),
        ("axes of the whitening change places", "x @ whiten if metric", "x @ whiten.T if metric"),
        ("rows of a part for those of the bank", "found._replace(indices=among[found.indices])", "found"),
        (
            "a part has a covariance of its own",
            "whiten = whitening(bank) if",
            "whiten = whitening(bank if among is None else bank[among]) if",
        ),
    ),
    *edits_of(
        "dim/search/nearest.py",
        "tests/search/test_half.py",
        (
            "rounding loses nothing",
            "codes = engine.codes if truth is None else truth",
            "codes = engine.codes",
        ),
    ),
    *edits_of(
        "dim/search/faiss_index.py",
        "tests/search/test_half.py",
        (
            "half precision in a whole file",
            'return "float16" if codes.dtype',
            'return "float32" if codes.dtype',
        ),
    ),
    *edits_of(
        "dim/search/indexer.py",
        "tests/search/test_half.py",
        ("whole codes in half the room", "and kept.codes.dtype == embedder.precision:", ":"),
        (
            "rounded codes are whole again",
            'kept.codes.dtype not in ("float32", embedder.precision)',
            "False",
        ),
        (
            "goes on in another precision",
            'made_by = {**made_by, "precision": precision}',
            "made_by = dict(made_by)",
        ),
        (
            "added to an index of another precision",
            "(kept.kind, kept.metric, kept.codes.dtype) == (kind, metric, embedder.precision)",
            "(kept.kind, kept.metric) == (kind, metric)",
        ),
    ),
    *edits_of(
        "dim/search/nearest.py",
        "tests/search/test_faiss_index.py",
        (
            "recall of an index counts the query",
            "engine.search(codes[rows], k, rows)",
            "engine.search(codes[rows], k)",
        ),
        (
            "recall against the query itself",
            "nearest(codes[rows], codes, k, engine.metric, rows)",
            "nearest(codes[rows], codes, k, engine.metric)",
        ),
        (
            "recall by the nearest alone",
            "found.distances <= exact[:, -1:]",
            "found.distances <= exact[:, :1]",
        ),
    ),
    *edits_of(
        "dim/search/nearest.py",
        "tests/search/test_duplicates.py",
        ("the square of a cosine distance", "2 * distance if metric", "distance**2 if metric"),
    ),
    *edits_of(
        "dim/search/growth.py",
        "tests/search/test_growth.py tests/search/test_index.py",
        (
            "a changed image is taken for the old one",
            "(as_unicode(name), stamp): i",
            "(as_unicode(name), ''): i",
        ),
        ("kept images get new numbers", "free if number is None else number", "free"),
        ("numbers are given twice", "0 if old is None else old.next_id", "0 if old is None else len(old)"),
        (
            "new codes stand before the old ones",
            "codes[rows[start : start + _BLOCK]]",
            "codes[start : start + len(rows)]",
        ),
    ),
    *edits_of(
        "dim/search/indexer.py",
        "tests/search/test_growth.py tests/search/test_index.py",
        ("another encoder's codes are kept", 'kept.made_by["encoder"] == embedder.fingerprint and ', ""),
        ("added to what is not a part of it", "len(growth.rows) == len(kept)", "True"),
        ("names beside other codes", "if i not in skipped]", "][: len(growth.new) - len(skipped)]"),
    ),
    *edits_of(
        "dim/search/faiss_index.py",
        "tests/search/test_faiss_index.py",
        (
            "codes that keep their length",
            'opened.write(rows.astype(stored).tobytes() if metric == "cosine" else b"")',
            "opened.write(codes[: len(rows)].tobytes())",
        ),
        (
            "queries that keep their length",
            "self.index.search(comparable(queries, self.metric), compared)",
            "self.index.search(comparable(queries, 'l2'), compared)",
        ),
        (
            "inner products rounded to 1",
            'by {metric}; {remedy}")\n        _compare_by(index, "l2")\n',
            'by {metric}; {remedy}")\n',
        ),
        ("a file compared by L2", "    _compare_by(index, metric)\n", ""),
        ("no is_similarity", 'index.hnsw.is_similarity = metric == "cosine"', "pass"),
        (
            "approximate codes that keep their length",
            "for rows in _blocks(codes, metric):\n            index.add(rows)",
            "for rows in _blocks(codes, 'l2'):\n            index.add(rows)",
        ),
        ("one cell searched", "index.nprobe = min(_PROBES, index.nlist)", "index.nprobe = 1"),
        (
            "no room for the query itself",
            "wanted = k if own is None else k + 1",
            "wanted = k",
        ),
        ("L2 for both", "faiss.METRIC_INNER_PRODUCT}", "faiss.METRIC_L2}"),
    ),
    *edits_of(
        "dim/search/duplicates.py",
        "tests/search/test_duplicates.py",
        ("each pair twice", "close.rows[:, 0] < close.rows[:, 1]", "close.rows[:, 0] != close.rows[:, 1]"),
        ("a row with itself", "close.rows[:, 0] < close.rows[:, 1]", "close.rows[:, 0] <= close.rows[:, 1]"),
        ("a pair at the threshold left out", "near = distances <= threshold", "near = distances < threshold"),
        ("blocks compared from their own start", "np.array([first, start])", "np.array([0, 0])"),
        (
            "rows counted within a block",
            "Pairs(pairs[near], distances",
            "Pairs(pairs[near] - starts, distances",
        ),
        (
            "the farthest first",
            "np.lexsort((rows[:, 1], rows[:, 0], distances))",
            "np.lexsort((rows[:, 1], rows[:, 0], -distances))",
        ),
        ("one pair too many allowed", "if count > most:", "if count > most + 1:"),
        ("no slack for FAISS' rounding", "_SLACK = 1e-5", "_SLACK = 0"),
        (
            "the first neighbours are all",
            "(near.distances[:, -1] <= threshold) & (k < held)",
            "near.indices[:, 0] < 0",
        ),
        (
            "pairs of an engine twice",
            "np.unique(np.sort(pairs.rows, axis=1), axis=0, return_index=True)",
            "np.unique(pairs.rows, axis=0, return_index=True)",
        ),
        (
            "rows of an engine counted within a block",
            "np.stack([rows[close.nonzero()[0]], near",
            "np.stack([close.nonzero()[0], near",
        ),
    ),
    *edits_of(
        "dim/search/index.py",
        "tests/search/test_index.py",
        ("the index made first", "Index(made[-1])", "Index(made[0])"),
        (
            "codes of another encoder accepted",
            'if self.made_by["encoder"] != fingerprint:',
            "if False:",
        ),
        (
            "every metric by the FAISS index",
            "if metric == self.metric and among is None:",
            "if among is None:",
        ),
        (
            "the query itself found",
            "return self.engine.search(queries, k, own)\n",
            "return self.engine.search(queries, k)\n",
        ),
        ("a folder begins anywhere", "starts_with(self.names, name)", "match_substring(self.names, name)"),
        ("a class for a folder", 'part.endswith("/"), as_unicode(part)', "False, as_unicode(part)"),
        ("the address without the image", "store.inside(self.where, self.name(i))", "self.where"),
        ("files for captions", "self.labels[int(i)].as_py() or self.file_name(i)", "self.file_name(i)"),
    ),
    *edits_of(
        "dim/search/faiss_index.py",
        "tests/search/test_index.py",
        ("a FAISS index of other codes accepted", "if held != (metric, N, D):", "if held[2] != D:"),
    ),
    *edits_of(
        "dim/search/indexer.py",
        "tests/search/test_indexer.py",
        ("another encoder goes on", 'state["made_by"] == made_by and ', ""),
    ),
    *edits_of(
        "dim/search/embedder.py",
        "tests/search/test_indexer.py tests/search/test_crew.py",
        (
            "images closed up before they are embedded",
            "batch[read] = [images[i] for i in read]",
            "batch[: len(read)] = [images[i] for i in read]",
        ),
        ("codes of unreadable images stay", "image if isinstance(image, str) else codes[i]", "codes[i]"),
    ),
    *edits_of(
        "dim/data/rows.py",
        "tests/search/test_indexer.py",
        ("unreadable images counted from the batch", "{start + i: row for", "{i: row for"),
        ("the rest of the old file stays", "        opened.truncate()\n", ""),
        (
            "the length of unreadable images too",
            "write_header(opened, (N - len(skipped), *shape)",
            "write_header(opened, (N, *shape)",
        ),
    ),
    *edits_of(
        "dim/encoders/embedding.py",
        "tests/encoders/test_embedding.py",
        (
            "a fingerprint of the first weights",
            "for weight in encoder.get_weights():",
            "for weight in encoder.get_weights()[:1]:",
        ),
        (
            "the log-variance for the code",
            "return posterior(encoder, images, batch_size)[0]",
            "return posterior(encoder, images, batch_size)[-1]",
        ),
    ),
    *edits_of(
        "dim/pictures/pairs.py",
        "tests/pictures/test_pairs.py",
        ("pairs in one row", "divmod(p, _COLUMNS)", "divmod(p, 2 * _COLUMNS)"),
        ("both images of a pair at one place", "(x, x + tile + layout.seam)", "(x, x)"),
    ),
    *edits_of(
        "dim/pictures/grid.py",
        "tests/pictures/test_grid.py",
        ("hits and misses change colours", "HIT if hits[q, i] else MISS", "MISS if hits[q, i] else HIT"),
        ("neighbours of the first query", "scaled(neighbours[q, i], tile)", "scaled(neighbours[0, i], tile)"),
    ),
    *edits_of(
        "dim/pictures/grid.py",
        "tests/experiments/report/test_neighbours.py",
        ("hits of other labels", "== queries.labels[:, None]", "== bank.labels[: len(queries), None]"),
    ),
    *edits_of(
        "dim/export/index_table.py",
        "tests/export/test_index_table.py",
        (
            "codes of the first block again",
            "index.codes[start : start + _ROWS]",
            "index.codes[: min(_ROWS, N - start)]",
        ),
    ),
    *edits_of(
        "dim/export/onnx.py",
        "tests/export/test_onnx.py",
        ("any difference accepted", "if not difference <= _TOLERANCE:", "if difference < 0:"),
    ),
    *edits_of(
        "dim/pictures/projector.py",
        "tests/pictures/test_projector.py",
        ("black where none is left", "fill=PAPER", "fill=(0, 0, 0)"),
        ("names before captions", "{printable(a)}\\t{printable(b)}", "{printable(b)}\\t{printable(a)}"),
    ),
]
