"""One run and what it has to beat: which features are measured, and by what."""

import gc
import json
import time
from dataclasses import asdict, replace
from datetime import date
from functools import cached_property
from hashlib import sha256

import numpy as np
from keras import ops
from tqdm import tqdm

from dim.configuration import Configuration
from dim.data import Dataset
from dim.device import describe_device
from dim.encoders import LOG_VARIANCE
from dim.encoders.embedding import posterior
from dim.evaluation.baselines import untrained_encoder
from dim.evaluation.dependence import LEAST_SAMPLES, mutual_information, neural_dependency
from dim.evaluation.features import CODE, PixelPCA, at_three_depths, extract, pixels
from dim.evaluation.geometry import alignment, direction_spread, singular_values, smooth_rank, uniformity
from dim.evaluation.ms_ssim import WINDOW, ms_ssim
from dim.evaluation.prior_fit import prior_fit
from dim.evaluation.protocol import Features, Protocol
from dim.evaluation.reconstruction import reconstructions
from dim.layers.random_view import RandomView
from dim.methods.build import build_encoder
from dim.names import printable
from dim.training.run import Run

RANK_ME_IMAGES, UNIFORMITY_IMAGES, ALIGNMENT_IMAGES = 25_600, 5000, 2000
DEPENDENCE_IMAGES, RECONSTRUCTED_IMAGES = 20_000, 1000
KNOWN_NATS = (2.0, 20.0)


class Evaluation:
    """One run: its features, those it has to beat, and what is measured of all of them.

    Args:
        run: whose encoder.
        dataset: the images.
        options: of `experiments.evaluate`.
        baselines: what other runs on the same images have measured without an encoder; added to.
    """

    def __init__(self, run: Run, dataset: Dataset, options, baselines: dict):
        self.run, self.dataset, self.options, self.baselines = run, dataset, options, baselines
        self.configuration: Configuration = run.configuration()
        self.protocol = Protocol(not options.quick, options.svm, options.metrics, options.seed)
        self.notes = self.protocol.notes
        self.cheap = replace(self.protocol, probes=False)
        self.measured, self.gauges, self.dependence = {}, {}, {}

    def evaluate(self) -> dict:
        """Everything, as it is written to evaluation.json."""
        started, dataset = time.monotonic(), self.dataset
        encoders = self._encoders()
        if not dataset.labelled:
            self.notes["there are no labels, so accuracies, retrieval and clusters are left out"] = None
        labelled_steps = (3 * len(encoders) + 2) * self.protocol.steps + 3 * self.cheap.steps + 1
        labelled_steps *= dataset.labelled
        dependence_steps = 0 if self.options.quick else 1 + 3 * len(encoders)
        with tqdm(
            total=labelled_steps + dependence_steps + 2 * len(encoders) + 2, dynamic_ncols=True
        ) as self.bar:
            self._step(self.run.path.name, "PCA of pixels")
            pca = PixelPCA(dataset.train.images, self.configuration.code_size, self.options.seed)
            components = {"PCA": (pca(dataset.train.images), pca(dataset.val.images))}
            self._baselines(components)
            codes = {name: self._encoder(name, encoder) for name, encoder in encoders.items()}
            if dataset.labelled:
                self._uncalibrated()
            self._gauges("PCA", *components["PCA"], pca)
            if not self.options.quick:
                self._dependence(encoders, codes, components["PCA"][0])
            self.bar.update(self.bar.total - self.bar.n)
        return {
            "run": self.run.path.name,
            "group": self._group(),
            **{name: getattr(self.configuration, name) for name in ("preset", "seed", "epochs", "prior")},
            "data": str(dataset),
            "train": len(dataset.train),
            "val": len(dataset.val),
            "classes": len(dataset.class_names),
            "device": f"{describe_device()}, {self.configuration.precision}",
            "date": date.today().isoformat(),
            "seconds": time.monotonic() - started,
            "options": asdict(self.options),
            "features": {name: self.measured[name] for name in self._order() if name in self.measured},
            "gauges": self.gauges,
            "dependence": self.dependence,
            "notes": list(self.notes),
        }

    def _encoders(self) -> dict:
        encoders = {"": self.run.load().encoder}
        if self.options.supervised:
            encoders["supervised "] = Run(self.options.supervised).load().encoder
        untrained = untrained_encoder(self.configuration, self.dataset.train.images)
        return {**encoders, "untrained ": untrained}

    def _order(self) -> list[str]:
        prefixes = ["", "supervised ", "untrained ", "uncalibrated "]
        return [p + depth for p in prefixes for depth in ("code", "hidden", "conv")] + ["PCA", "pixels"]

    def _encoder(self, prefix: str, encoder) -> tuple[np.ndarray, np.ndarray]:
        """Measures one encoder at three depths. Returns the codes of training and validation images."""
        model = at_three_depths(encoder)
        train, val = self._depths(prefix, model, self.protocol)
        self._gauges(prefix + CODE, train, val, lambda images: extract(model, images)[CODE], encoder)
        return train, val

    def _uncalibrated(self) -> None:
        """The untrained encoder as it is built, without probes: it is known to be the weaker baseline."""
        self._depths("uncalibrated ", at_three_depths(build_encoder(self.configuration)), self.cheap)

    def _depths(self, prefix: str, model, protocol: Protocol) -> tuple[np.ndarray, np.ndarray]:
        self._step(f"{prefix or 'own '}encoder", "features")
        train, val = extract(model, self.dataset.train.images), extract(model, self.dataset.val.images)
        for depth in reversed(list(train)):
            self._measure(prefix + depth, train[depth], val[depth], protocol)
            if depth != CODE:
                del train[depth], val[depth]
        return train[CODE], val[CODE]

    def _measure(self, name: str, train: np.ndarray, val: np.ndarray, protocol: Protocol) -> None:
        if self.dataset.labelled:
            labels = self.dataset.train.labels, self.dataset.val.labels
            features = Features(train, labels[0], val, labels[1])
            self.measured[name] = protocol.measure(features, lambda what: self._step(name, what))
            gc.collect()  # models of Keras are cycles, and keep their graphs

    def _baselines(self, components: dict) -> None:
        """Those that know no encoder are the same for all runs on the same images."""
        key = str(self.dataset), self.configuration.data, self.configuration.code_size
        if key not in self.baselines:
            images = self.dataset.train.images, self.dataset.val.images
            for name, (train, val) in {**components, "pixels": tuple(map(pixels, images))}.items():
                self._measure(name, train, val, self.protocol)
            names = [name for name in ("PCA", "pixels") if name in self.measured]
            self.baselines[key] = {name: self.measured[name] for name in names}
        self.measured |= self.baselines[key]

    def _gauges(self, name: str, train: np.ndarray, val: np.ndarray, features, encoder=None) -> None:
        """Of codes; `features` maps images to them, and a prior needs the encoder too."""
        self._step(name, "gauges")
        rng = np.random.default_rng(self.options.seed)
        sample = train[rng.permutation(len(train))[:RANK_ME_IMAGES]]
        spectrum = singular_values(sample)
        self.gauges[name] = {
            "direction_spread": direction_spread(val),
            "rank_me": smooth_rank(spectrum),
            "alignment": alignment(*(features(view) for view in self._views)),
            "uniformity": uniformity(val[rng.permutation(len(val))[:UNIFORMITY_IMAGES]]),
            **self._prior_fit(encoder, val, rng),
            "spectrum": (spectrum / max(spectrum[0], np.finfo(float).tiny)).tolist(),
        }

    @cached_property
    def _views(self) -> list[np.ndarray]:
        """Two random views of the same validation images, the same for all encoders."""
        random_view = RandomView(self.configuration.crop, seed=self.options.seed)
        images = self.dataset.val.images[:ALIGNMENT_IMAGES]
        blocks = [np.asarray(images[i : i + 250]) for i in range(0, len(images), 250)]
        return [
            np.concatenate([ops.convert_to_numpy(random_view(block)) for block in blocks]) for _ in range(2)
        ]

    def _prior_fit(self, encoder, val: np.ndarray, rng: np.random.Generator) -> dict:
        prior = self.configuration.prior
        if encoder is None or prior == "none" or (prior == "kl" and LOG_VARIANCE not in encoder.output):
            return {}
        if prior == "kl":
            mean, log_variance = posterior(encoder, self.dataset.val.images)
            val = mean + np.exp(log_variance / 2) * rng.normal(size=mean.shape)
        return prior_fit(val, prior)._asdict()

    def _dependence(self, encoders: dict, codes: dict, components: np.ndarray) -> None:
        if len(components) < LEAST_SAMPLES:
            self.notes[f"dependence needs at least {LEAST_SAMPLES} training images"] = None
            return
        seed = self.options.seed
        rows = np.random.default_rng(seed).permutation(len(components))[:DEPENDENCE_IMAGES]
        images = np.asarray(self.dataset.val.images[:RECONSTRUCTED_IMAGES])
        for prefix, encoder in encoders.items():
            name, (train, val) = f"{prefix}code", codes[prefix]
            self._step(name, "mutual information")
            information = mutual_information(components[rows], train[rows], seed=seed)
            self._step(name, "dependency")
            dependency = neural_dependency(train[rows], seed=seed)
            self.dependence[name] = {
                "mutual_information": information.nats,
                "neural_dependency": dependency.nats,
                "ceiling": information.ceiling,
            }
            self._step(name, "decoder")
            if self.dataset.image_size < WINDOW:
                self.notes[f"MS-SSIM needs images of at least {WINDOW} pixels"] = None
                continue
            drawn = reconstructions(
                encoder, train, self.dataset.train.images, val[:RECONSTRUCTED_IMAGES], seed=seed
            )
            self.dependence[name]["ms_ssim"] = float(ms_ssim(images, drawn).mean())
        self._step("Gaussians", "mutual information")
        for nats in KNOWN_NATS:
            pair = _gaussians(len(rows), train.shape[1], nats, seed)
            estimate = mutual_information(*pair, seed=seed)
            self.dependence[f"Gaussians of {nats:g} nats"] = {
                "mutual_information": estimate.nats,
                "ceiling": estimate.ceiling,
            }

    def _group(self) -> str:
        """The same for runs that differ in their seed alone and are evaluated alike."""
        configuration, options = asdict(self.configuration), asdict(self.options)
        for name in "run", "supervised":
            options.pop(name)
        configuration.pop("seed")
        same = json.dumps([configuration, options, str(self.dataset)], sort_keys=True)
        return sha256(same.encode()).hexdigest()[:8]

    def _step(self, name: str, what: str) -> None:
        self.bar.set_description(printable(f"{self.run.path.name}: {name}, {what}"))
        self.bar.update()


def _gaussians(N: int, D: int, nats: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples of D independent pairs of standard normal variables that share so many nats in all."""
    rng = np.random.default_rng(seed)
    correlation = np.sqrt(-np.expm1(-2 * nats / D))
    x, noise = rng.normal(size=(2, N, D))
    return x, correlation * x + np.sqrt(1 - correlation**2) * noise
