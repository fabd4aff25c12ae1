"""Errors in what the programs compute and write: tables, plots, reports."""

from edits import edits_of

EDITS = [
    *edits_of(
        "experiments/tables.py",
        'tests/experiments/compare/test_main.py tests/experiments/compare/test_verification.py -k "table"',
        (
            "the deviation with n",
            "from statistics import mean, stdev",
            "from statistics import mean, pstdev as stdev",
        ),
        ("shares for per cent", "number(100 * share,", "number(share,"),
        (
            "one deviation for both metrics",
            "[numbers[name] for numbers in measured]",
            '[numbers.get("cosine", numbers[name]) for numbers in measured]',
        ),
    ),
    *edits_of(
        "experiments/compare/table.py",
        'tests/experiments/compare/test_main.py -k "table or header or encoder"',
        ("the least accurate first", "reverse=True)", "reverse=False)"),
        ("seconds for minutes", 'entry.diary["seconds"] / 60', 'entry.diary["seconds"]'),
        ("images after the first epoch", "own[0].curve[-1][0]", "own[0].curve[0][0]"),
    ),
    *edits_of(
        "experiments/compare/plot.py",
        'tests/experiments/compare/test_main.py -k "plot or names"',
        ("a band of the mean", "each.min(axis=0), each.max(axis=0)", "middle, middle"),
        ("the sum for the mean", "middle = each.mean(axis=0)", "middle = each.sum(axis=0)"),
        ("names that touch", "(high - low) * 0.055", "(high - low) * 0.01"),
        (
            "no gap between names",
            "isotonic_regression(wishes - gaps).x + gaps",
            "isotonic_regression(wishes - gaps).x",
        ),
    ),
    *edits_of(
        "experiments/evaluate/tables.py",
        "tests/experiments/evaluate/test_tables.py",
        ("a standard error without the root", "100 * math.sqrt(0.4 * 0.6", "100 * (0.4 * 0.6"),
        ("a standard error of training images", '/ first["val"])', '/ first["train"])'),
        ("shares for per cent", "column.scale * mean,", "mean,"),
        ("estimates beyond their ceiling", "if mean > measured", "if mean > 1e6 * measured"),
        ("the first run's number", "column.scale * mean,", "column.scale * values[0],"),
        ("a deviation of one measurement", "ROWS[row].of_the_data and len", "len"),
        (
            "seeds that differ in more are alike",
            "for evaluation in evaluations}) == 1",
            "for evaluation in evaluations}) >= 1",
        ),
    ),
    *edits_of(
        "experiments/evaluate/record.py",
        "tests/experiments/evaluate/test_tables.py",
        ("a run twice in the file", 'if row["run"] != line["run"]', "if True"),
    ),
    *edits_of(
        "experiments/evaluate/evaluation.py",
        "tests/experiments/evaluate/test_main.py",
        ("a group for each seed", '        configuration.pop("seed")\n', ""),
    ),
    *edits_of(
        "experiments/compare/verification.py",
        "tests/experiments/compare/test_verification.py",
        ("the ROC one step early", 'side="right") - 1]', 'side="left") - 1]'),
        ("the least MAP first", "reverse=True)", "reverse=False)"),
        (
            "AUC in per cent",
            'tables.number(value, deviation) if key == "auc" else tables',
            "tables",
        ),
    ),
    *edits_of(
        "experiments/report/queries.py",
        "tests/experiments/report/test_queries.py",
        ("the query among what it finds", 'len(codes) - 1, "cosine", own)', 'len(codes) - 1, "cosine")'),
        ("the worst are the best", "np.argsort(-precision", "np.argsort(precision"),
        ("a rising order", "falling = -np.arange", "falling = np.arange"),
        ("classes of one image are asked", "[labels] > 1)", "[labels] > 0)"),
        ("chance with the query itself", "(members - 1) / (len(val) - 1)", "members / len(val)"),
    ),
    *edits_of(
        "experiments/report/neighbours.py",
        "tests/experiments/report/test_neighbours.py",
        ("other queries than those drawn", "nearest(val[rows], train,", "nearest(val[: len(rows)], train,"),
        ("both pictures by L2", "min(K, len(train)), metric)", 'min(K, len(train)), "l2")'),
    ),
    *edits_of(
        "experiments/report/code_map.py",
        "tests/experiments/report/test_code_map.py",
        (
            "a perplexity of all images",
            "return min(_PERPLEXITY, (N - 1) // 3)",
            "return min(_PERPLEXITY, N - 1)",
        ),
        (
            "room along one axis",
            "np.abs(places[chosen] - places[i]).max(axis=1)",
            "np.abs(places[chosen] - places[i])[:, 0]",
        ),
        ("thumbnails where dots are", "np.flatnonzero(thumbnails)", "np.flatnonzero(~thumbnails)"),
    ),
    *edits_of(
        "experiments/report/curves.py",
        "tests/experiments/report/test_curves.py",
        ("accuracies as shares", 'scale = 100 if kind in ("accuracy", "knn") else 1', "scale = 1"),
        ("baselines by L2", '["cosine"] for name in _BASELINES', '["l2"] for name in _BASELINES'),
        ("a hole is 0", 'return float("nan")', "return 0.0"),
    ),
    *edits_of(
        "experiments/verify.py",
        "tests/experiments/test_verify.py",
        ("distances for similarities", "measure(-x, pairs.same", "measure(x, pairs.same"),
        ("the threshold of a similarity", 'numbers["threshold"] = -numbers["threshold"]', "pass"),
        ("training images of the own data", "images = dataset.val if own", "images = dataset.train if own"),
        (
            "the nearest same pairs for the farthest",
            "order[pairs.same[order]][::-1]",
            "order[pairs.same[order]]",
        ),
        (
            "an image in several pairs",
            "len(chosen) < _SHOWN and seen.isdisjoint(rows[pair])",
            "len(chosen) < _SHOWN",
        ),
    ),
    *edits_of(
        "dim/training/pretrained.py",
        "tests/training/test_pretrained.py tests/training/test_run.py",
        ("a damaged file is taken", "if found != SHA256:", "if False:"),
        ("an encoder of its own initial weights", "encoder.set_weights(weights)", "pass"),
    ),
    *edits_of(
        "dim/training/run.py",
        "tests/training/test_run.py",
        (
            "the pretrained encoder in place of a run's",
            "(PRETRAINED if newest is None else",
            "(PRETRAINED if True else",
        ),
        ("nobody is told that it is not his", "if not str(name) and newest is None:", "if False:"),
        ("a run of that name is overwritten", "and not run.configuration_file.exists():", ":"),
        ("the encoder alone though there is a checkpoint", " and not self.checkpoint.exists()\n", "\n"),
    ),
    *edits_of(
        "dim/training/start.py",
        "tests/training/test_start.py",
        ("another log-variance too", " and layer.name != LOG_VARIANCE", ""),
        ("another encoder is let through", "!= [_shapes(layer) for layer in theirs]:", "== []:"),
    ),
    *edits_of(
        "dim/training/fit.py",
        "tests/training/test_start.py",
        ("a start that is forgotten", "if c.init:", "if False:"),
    ),
    *edits_of(
        "dim/export/onnx_codes.py",
        "tests/export/test_onnx_codes.py",
        ("float32 for whoever wants bfloat16", "if not in_float32 or", "if"),
        ("processors where a card is", " or gpu():", ":"),
    ),
    *edits_of(
        "dim/memory.py",
        "tests/test_memory.py",
        ("pages given back", "_MMAP_MAX: 0", "_MMAP_MAX: 65536"),
    ),
    *edits_of(
        "dim/training/monitor.py",
        "tests/training/test_monitor.py",
        ("originals of another size than views", "side = views[0].shape[1:3]", "side = images[0].shape[:2]"),
    ),
]
