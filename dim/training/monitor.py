"""What TensorBoard shows of a run: terms, bounds, codes, neighbours, and the projector at the end."""

import keras
import numpy as np
from PIL import Image

from dim.data import Dataset
from dim.encoders.embedding import embed, posterior
from dim.evaluation.geometry import direction_spread
from dim.evaluation.knn import K, knn_accuracy
from dim.losses.priors import kl_to_standard_normal
from dim.pictures.grid import found_grid
from dim.pictures.projector import write_projector
from dim.search.engine import Neighbours
from dim.search.nearest import METRICS, nearest
from dim.training.events import Events
from dim.training.run import Run

_GROUPS = {"_bound": "bound_nats", "_accuracy": "critic_accuracy", "_cosine": "mean_cosine"}
_BANK, _QUERIES, _SHOWN_QUERIES, _SHOWN_NEIGHBOURS = 5000, 1000, 8, 8


class Monitor(keras.callbacks.Callback):
    """Looks at the codes after every epoch, and once before the first.

    Validation images (at most 1,000) are embedded and compared with training images (at most 5,000),
    the same ones every epoch. Adds `knn_cosine` and `knn_l2` to the logs where labels exist. `epoch` is the
    number of complete epochs; events of later ones are withdrawn.
    """

    def __init__(self, run: Run, dataset: Dataset, epoch: int):
        super().__init__()
        rng = np.random.default_rng(0)
        self.bank = dataset.train.rows(rng.permutation(len(dataset.train))[:_BANK])
        self.queries = dataset.val.rows(rng.permutation(len(dataset.val))[:_QUERIES])
        self.run, self.dataset = run, dataset
        self.epochs_done = epoch
        self.writer = Events(run.path, first=epoch + 1 if epoch else 0)

    def on_train_begin(self, logs=None):
        if not self.epochs_done:
            self._look(0, {})
            self._write_views()

    def on_epoch_end(self, epoch, logs=None):
        for name, value in logs.items():
            self.writer.add_scalar(tag_of(name), value, epoch + 1)
        self._look(epoch + 1, logs)

    def on_train_end(self, logs=None):
        images = self.queries.images
        captions = [self.dataset.caption(self.queries, i) for i in range(len(images))]
        codes = embed(self.model.encoder, images)
        write_projector(self.run.path, codes, images, captions, self.queries.names)
        self.writer.close()

    def _look(self, step, logs):
        codes, *log_variance = posterior(self.model.encoder, self.queries.images)
        bank = embed(self.model.encoder, self.bank.images)
        scalars = {
            "codes/mean": codes.mean(),
            "codes/standard_deviation": codes.std(axis=0).mean(),
            "codes/direction_spread": direction_spread(codes),
        }
        if log_variance:
            kl = keras.ops.convert_to_numpy(kl_to_standard_normal(codes, *log_variance)).mean(axis=0)
            scalars["codes/kl_nats_per_dimension"] = kl.mean()
            self.writer.add_histogram("codes/kl_of_each_dimension", kl, step)
        for metric in METRICS:
            neighbours = nearest(codes, bank, min(K, len(bank)), metric)
            if self.queries.labels is not None:
                found = self.bank.labels[neighbours.indices]
                accuracy = knn_accuracy(found, self.queries.labels)
                logs[f"knn_{metric}"] = scalars[f"validation/knn{K}_{metric}"] = accuracy
            grid = self._grid(neighbours, metric)
            self.writer.add_image(f"neighbours/{metric}", grid, step, dataformats="HWC")
        for tag, value in scalars.items():
            self.writer.add_scalar(tag, float(value), step)
        self.writer.add_histogram("codes/values", codes, step)
        self.writer.add_histogram("codes/mean_of_each_dimension", codes.mean(axis=0), step)
        self.writer.flush()

    def _grid(self, neighbours, metric):
        shown = self.queries.rows(np.arange(min(_SHOWN_QUERIES, len(self.queries))))
        found = Neighbours(*(part[: len(shown), :_SHOWN_NEIGHBOURS] for part in neighbours))
        title = f"validation queries and their {metric} neighbours in training"
        return found_grid(self.dataset, shown, self.bank, found, title, tile=80)

    def _write_views(self):
        if (theirs := self.model.augmentation) is None:
            return
        augmentation = type(theirs).from_config(theirs.get_config())  # the model's draws stay its own
        images = self.queries.images[:_SHOWN_QUERIES]
        views = [keras.ops.convert_to_numpy(augmentation(images)) for _ in range(4)]
        side = views[0].shape[1:3]
        originals = [Image.fromarray(image).resize(side, Image.Resampling.BILINEAR) for image in images]
        views = [np.stack(originals), *views]
        sheet = np.concatenate([np.concatenate(list(view), axis=1) for view in views])
        self.writer.add_image("views/original_and_what_the_model_sees", sheet, 0, dataformats="HWC")


def tag_of(name: str) -> str:
    """Under what TensorBoard shows a term of the logs."""
    for suffix, group in _GROUPS.items():
        if name.endswith(suffix):
            return f"{group}/{name.removesuffix(suffix)}"
    return f"loss/{name.replace('loss', 'total')}"
