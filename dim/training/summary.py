"""How good the codes of a run are, in a few lines."""

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
from tqdm import tqdm

from dim.configuration import Configuration
from dim.data import Dataset
from dim.encoders.embedding import embed
from dim.evaluation import PIXELS, UNTRAINED, knn
from dim.evaluation.baselines import pixels, untrained_encoder
from dim.training.run import Run

_PIXEL_QUERIES = 1000
_WIDTH = 17  # of the longest name in the table


def summarise(run: Run, model: keras.Model, dataset: Dataset, configuration: Configuration) -> None:
    """Prints and saves the accuracy of the codes beside the baselines, if there are labels."""
    if not dataset.labelled:
        return
    k = min(knn.K, len(dataset.train))
    rows = np.sort(np.random.default_rng(0).permutation(len(dataset.val))[:_PIXEL_QUERIES])
    few = replace(dataset, val=dataset.val.rows(rows))  # as pixels are long
    accuracies = {}

    def measure(name: str, images: Dataset, vectors: Callable[[np.ndarray], np.ndarray]) -> None:
        progress.set_description(f"neighbours by {name}")
        train, val = vectors(images.train.images), vectors(images.val.images)
        accuracies[name] = knn.knn_accuracies(train, val, images, k)
        progress.update()

    with tqdm(total=3, leave=False, dynamic_ncols=True) as progress:
        measure(PIXELS, few, pixels)
        untrained = untrained_encoder(configuration, dataset.train.images)
        measure(UNTRAINED, dataset, lambda images: embed(untrained, images))
        measure("code", dataset, lambda images: embed(model.encoder, images))
    print(f"\nvalidation accuracy of {k}-NN (majority vote of {len(dataset.train):,} training images)")
    print(f"{'':{_WIDTH}}  cosine      L2")
    for name, accuracy in accuracies.items():
        print(f"{name:{_WIDTH}}  {accuracy['cosine']:6.1%}  {accuracy['l2']:6.1%}")
    if len(few.val) < len(dataset.val):
        print(f"({PIXELS}: a sample of {_PIXEL_QUERIES:,} validation images)")
    run.write_json(run.results, {"k": k, "accuracy": accuracies})
