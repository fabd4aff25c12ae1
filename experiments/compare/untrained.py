"""What the runs of a comparison have to beat: their encoders untrained, with ten seeds each."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from dim import data
from dim.configuration import Configuration
from dim.data import Dataset
from dim.errors import DimError
from dim.evaluation import UNTRAINED
from dim.files import read_json, replace
from experiments import command_line
from experiments.compare.training import Entry

_MEASURED_OF = ("encoder", "code_size", "image_size", "batch_size", "precision", "data")


def untrained(complete: list[Entry], out: Path) -> dict[str, list[dict[str, float]]]:
    """Name of a row → accuracy of nearest neighbours by each metric, seed by seed.

    What has been measured is kept in OUT/untrained.json and not measured again.
    """
    file, kept, found = out / "untrained.json", {}, {}
    with suppress(DimError):  # none there, or damaged: measured anew
        kept = read_json(file, {str: [{"cosine": float, "l2": float}]})
    for name, entry in kinds(complete).items():
        configuration, k = entry.configuration, entry.k
        key = "; ".join([entry.diary["data"], *(f"{n} {getattr(configuration, n)}" for n in _MEASURED_OF)])
        if key not in kept:
            command_line.import_keras()
            from dim.evaluation.knn import knn_accuracies

            dataset = data.load_of(configuration)
            codes = untrained_codes(name, configuration, dataset)
            kept[key] = [knn_accuracies(train, val, dataset, k) for _, train, val in codes]
            replace(file, lambda file: file.write_text(json.dumps(kept, indent=2) + "\n", "utf8"))
        found[name] = kept[key]
    return found


def kinds(complete: list[Entry]) -> dict[str, Entry]:
    """One entry for each encoder and length of the code, by the name of its row.

    The first of them says how large batches are; that others have larger ones hardly matters untrained.
    """
    first = {}
    for entry in complete:
        first.setdefault((entry.configuration.encoder, entry.configuration.code_size), entry)
    if len(first) == 1:
        return {UNTRAINED: complete[0]}
    return {f"{UNTRAINED} ({encoder}, {D} values)": entry for (encoder, D), entry in first.items()}


def untrained_codes(
    name: str, configuration: Configuration, dataset: Dataset
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Seed, and codes of training and of validation images, for ten seeds."""
    from tqdm import tqdm

    from dim.encoders.embedding import embed
    from dim.evaluation.baselines import SEEDS, untrained_encoders

    encoders = untrained_encoders(configuration, dataset.train.images, SEEDS)
    for seed, encoder in tqdm(encoders, name, len(SEEDS), unit=" seeds", dynamic_ncols=True):
        yield seed, embed(encoder, dataset.train.images), embed(encoder, dataset.val.images)
