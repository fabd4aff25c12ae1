"""One run and what it has to beat: which features are measured, and by what."""

import gc
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date
from functools import cached_property, partial
from hashlib import sha256
from itertools import groupby
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from dim.configuration import Configuration
from dim.data import Dataset
from dim.device import describe_device
from dim.evaluation.baselines import PixelPCA, pixels, untrained_encoder
from dim.evaluation.dependence import KNOWN, MOST_SAMPLES
from dim.evaluation.evaluator import CODES, COMPONENTS, ENCODER, LABELS, SVM, TRAINING, Evaluator, Features
from dim.evaluation.evaluators import EVALUATORS
from dim.evaluation.features import CODE, DEPTHS, ROWS, Depths, Row, title
from dim.evaluation.neural_bounds import correlated_gaussians
from dim.methods.build import build_encoder
from dim.names import printable
from dim.training.run import Run


class _Turn(NamedTuple):
    row: Row  # of the tables
    offers: set[str]  # to evaluators
    make: Callable[[], Features]


class Evaluation:
    """One run: its features, those it has to beat, and what is measured of all of them.

    The options are those of `experiments.evaluate`; to the baselines, what other runs on the same images have
    measured without an encoder, is added.
    """

    def __init__(self, run: Run, dataset: Dataset, options, baselines: dict):
        self.run, self.dataset, self.options = run, dataset, options
        self.configuration: Configuration = run.configuration()
        self.measured = {"features": {}, "gauges": {}, "dependence": {}}
        self.notes = {}
        key = str(dataset), self.configuration.data, self.configuration.code_size
        self.baselines = baselines.setdefault(key, {})

    def evaluate(self) -> dict:
        """Everything, as it is written to evaluation.json."""
        started, dataset = time.monotonic(), self.dataset
        if not dataset.labelled:
            self.notes["there are no labels, so accuracies, retrieval and clusters are left out"] = None
        turns = list(self._turns())
        self._measure([(turn, each) for turn in turns for each in EVALUATORS if each.needs <= turn.offers])
        features = self.measured["features"]
        features |= self.baselines
        self.baselines |= {name: found for name, found in features.items() if ROWS[name].of_the_data}
        parts = self.measured.items()
        counts = len(dataset.train), len(dataset.val), len(dataset.class_names)
        return {
            "run": self.run.path.name,
            "group": self._group(),
            **{name: getattr(self.configuration, name) for name in ("preset", "seed", "epochs", "prior")},
            "data": str(dataset),
            **dict(zip(("train", "val", "classes"), counts, strict=True)),
            "device": f"{describe_device()}, {self.configuration.precision}",
            "date": date.today().isoformat(),
            "seconds": time.monotonic() - started,
            "options": asdict(self.options),
            **{part: {name: rows[name] for name in (*ROWS, *rows) if name in rows} for part, rows in parts},
            "notes": list(self.notes),
        }

    def _measure(self, jobs: list[tuple[_Turn, Evaluator]]) -> None:
        with tqdm(jobs, dynamic_ncols=True) as bar:

            def tell(what):
                bar.set_description(printable(f"{self.run.path.name}: {title(turn.row.name)}, {what}"))

            for turn, own in groupby(bar, lambda job: job[0]):
                tell("features")
                features = turn.make()
                for _, evaluator in own:
                    tell(evaluator.name)
                    self._keep(turn.row.name, evaluator.section.part, evaluator.measure(features))
                del features
                gc.collect()  # models of Keras are cycles, and keep their graphs

    def _keep(self, row: str, part: str, found: dict) -> None:
        """Numbers by their names; settings of several probes stand in one dictionary."""
        if found:
            kept = self.measured[part].setdefault(row, {})
            for name, value in found.items():
                kept[name] = kept.get(name, {}) | value if isinstance(value, dict) else value

    def _turns(self) -> Iterator[_Turn]:
        """What knows no encoder is the same for all runs on the same images, and measured once."""
        labels = {LABELS} if self.dataset.labelled else set()
        training = set() if self.options.quick else {TRAINING, SVM} if self.options.svm else {TRAINING}
        train, val = self.dataset.train.images, self.dataset.val.images
        new = set() if self.baselines else labels | training
        yield _Turn(ROWS["PCA"], {CODES} | new, lambda: self._features(*self._components, embed=self._pca))
        yield _Turn(ROWS["pixels"], new, lambda: self._features(pixels(train), pixels(val)))
        for name, encoder, whole in self._encoders():
            depths = Depths(encoder, self.dataset)
            for depth in DEPTHS:
                offers = labels | (training if whole else set())
                offers |= {CODES, ENCODER, COMPONENTS} if whole and depth == CODE else set()
                yield _Turn(Row(name, depth), offers, partial(self._of_encoder, depths, depth))
        for name, nats in KNOWN.items():
            yield _Turn(Row("", name), {COMPONENTS} | training, partial(self._gaussians, nats))

    def _encoders(self) -> Iterator[tuple[str, object, bool]]:
        """Their names, and whether they are measured whole; uncalibrated is known to be weaker."""
        yield "", self.run.load_encoder(), True
        if self.options.supervised:
            yield "supervised", Run(self.options.supervised).load_encoder(), True
        yield "untrained", untrained_encoder(self.configuration, self.dataset.train.images), True
        if self.dataset.labelled:
            yield "uncalibrated", build_encoder(self.configuration), False

    @cached_property
    def _pca(self) -> PixelPCA:
        return PixelPCA(self.dataset.train.images, self.configuration.code_size, self.options.seed)

    @cached_property
    def _components(self) -> tuple[np.ndarray, np.ndarray]:
        return self._pca(self.dataset.train.images), self._pca(self.dataset.val.images)

    def _of_encoder(self, depths: Depths, depth: str) -> Features:
        given = {"embed": depths.code, "encoder": depths.encoder, "components": self._components[0]}
        return self._features(*depths.take(depth), **given)

    def _gaussians(self, nats: float) -> Features:
        """As many samples of the same length as the codes, of known mutual information."""
        N = min(len(self._components[0]), MOST_SAMPLES)
        x, y = correlated_gaussians(N, self.configuration.code_size, nats, self.options.seed)
        return self._features(y, y, components=x)

    def _features(self, train: np.ndarray, val: np.ndarray, **more) -> Features:
        """What all features of a run have in common stands beside these."""
        of, options = self.dataset, self.options
        labels, settings = (of.train.labels, of.val.labels), (options.seed, options.metrics, self.notes)
        return Features(train, labels[0], val, labels[1], *settings, of, self.configuration, **more)

    def _group(self) -> str:
        """The same for runs that differ in their seed alone and are evaluated alike."""
        configuration, options = asdict(self.configuration), asdict(self.options)
        configuration.pop("seed")
        del options["run"], options["supervised"]
        same = json.dumps([configuration, options, str(self.dataset)], sort_keys=True)
        return sha256(same.encode()).hexdigest()[:8]
