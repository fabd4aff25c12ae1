"""A run is a folder: what was trained on what, where it stands, and what came of it.

configuration.json   the resolved configuration
data.json            how many images of what content
checkpoint.keras     the whole model with its optimizer after the last complete epoch
encoder.keras        the encoder alone, for plain Keras; written when training is complete
log.csv              one row an epoch, with the seconds that it took
machine.json         what it was trained on, and when
results.json         accuracies of the complete run beside the baselines
events.out.tfevents… what TensorBoard shows; neighbour pictures lie beside it
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from dim.configuration import Configuration
from dim.data.dataset import Dataset
from dim.errors import DimError
from dim.files import UNFINISHED, check_writable, exclusive, read_json, replace, typed_path
from dim.names import as_unicode
from dim.training import pretrained

RUNS = Path("runs")
PRETRAINED = "pretrained"
_COUNTS = ("train", "val", "classes")
_FORMS = {
    "data.json": {"train": int, "val": int, "classes": int},
    "machine.json": {"machine": str, "date": str},
    "results.json": {"k": int, "accuracy": {str: {"cosine": float}}},
    "compare.json": {"command": [str], "seconds": float},
}
_ROW = re.compile("([0-9]{1,9})(,|$)")  # of the log


class Run:
    """One run folder, by its name in `runs/`, or by a path if that has a slash.

    `settings` is the dataclass that its configuration is one of.
    """

    def __init__(self, name: str | Path, settings: type = Configuration):
        self.settings = settings
        self.name = str(name).rstrip("/")
        if self.name in ("", ".", ".."):
            raise DimError(f"{str(name)!r} is no name for a run; choose one such as first, or a path")
        if as_unicode(self.name) != self.name:
            raise DimError(f"{self.name} is no UTF-8, so not all libraries could open it; rename it")
        self.path = typed_path(self.name) if "/" in self.name or self.name == "~" else RUNS / self.name
        self.configuration_file = self.path / "configuration.json"
        self.checkpoint = self.path / "checkpoint.keras"
        self.encoder = self.path / "encoder.keras"
        self.data = self.path / "data.json"
        self.machine = self.path / "machine.json"
        self.log = self.path / "log.csv"
        self.results = self.path / "results.json"

    @classmethod
    def chosen(cls, name: str | Path = "") -> "Run":
        """That of a name, or without one the run whose checkpoint was written last.

        Where there is none it is `pretrained`, which is said: the encoder that comes with the package, in
        runs/pretrained, which is made where it is not there. Raises DimError if that cannot be written.
        """
        from dim.data import default

        checkpoints = () if str(name) else RUNS.glob("*/checkpoint.keras")
        newest = max(checkpoints, key=lambda file: file.stat().st_mtime, default=None)
        run = cls(str(name) or (PRETRAINED if newest is None else newest.parent.name))
        if run.name == PRETRAINED and not run.configuration_file.exists():
            run.path.mkdir(parents=True, exist_ok=True)
            replace(run.encoder, lambda file: shutil.copyfile(pretrained.FILE, file))
            run.write_json(run.configuration_file, asdict(pretrained.configuration()) | {"data": default()})
        if not str(name) and newest is None:
            said = f"no trained run in {RUNS}/: by the encoder that comes with dim, RUN={PRETRAINED}"
            print(said, file=sys.stderr)
        return run

    @property
    def has_learned(self) -> bool:
        """Whether anything of it was saved; until then its name is free for another start."""
        return self.checkpoint.exists() or self.encoder.exists()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Makes the folder, and keeps other processes from training the run at the same time.

        Raises DimError if another process trains it, or nothing can be written there.
        """
        self._check_folder()
        if "," in self.name and not self.path.exists():
            why = f"evaluate parts runs by commas, so {self.name} is no name for one"
            raise DimError(f"{why}; give another RUN=")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            check_writable(self.path)
            with exclusive(self.path / f"{UNFINISHED}lock", f"{self.path} is being trained"):
                yield
        finally:
            with suppress(OSError):  # unless something is in it
                self.path.rmdir()

    def claim(self, configuration: Configuration, dataset: Dataset | None = None) -> None:
        """Makes the folder and writes the configuration, or checks that it is the run's own.

        The data set is what the run trains on, known again by its content wherever it lies. Raises DimError
        if the folder holds what a run of another configuration learned, or the data has changed.
        """
        self._check_folder()
        change = self.other_than(dataset) if dataset and self.has_learned else ""
        if self.has_learned and self.configuration_file.exists():
            may_change = {"epochs"} if getattr(configuration, "schedule", "constant") == "constant" else set()
            if dataset and self.data.exists() and "fingerprint" in self.read_json(self.data) and not change:
                may_change.add("data")
            old, new = asdict(self.configuration()), asdict(configuration)
            changed = [name for name in new if old[name] != new[name] and name not in may_change]
            if changed:
                differences = ", ".join(f"{name} {old[name]!r}, not {new[name]!r}" for name in changed)
                raise DimError(f"{self.path} holds a run with {differences}; give this one another RUN= name")
        if change:
            raise DimError(f"{self.path} {change}; take another RUN= name")
        self.path.mkdir(parents=True, exist_ok=True)
        self.write_json(self.configuration_file, asdict(configuration))
        if dataset:
            self.write_json(self.data, _held(dataset))

    def other_than(self, dataset: Dataset) -> str:
        """In what the run's own data set is not this one, or nothing; whoever asks puts the run before it."""
        if not self.data.exists():
            return ""
        old, new = self.read_json(self.data), _held(dataset)
        if "fingerprint" not in old:
            if dataset.drawn:
                return "held out other images, and may have been trained on what are validation images now"
            old["fingerprint"] = new["fingerprint"]
        if old == new:
            return ""
        if all(old.get(name) == new[name] for name in _COUNTS):
            return "was started on other images than there are now, though as many"
        old, new = (", ".join(f"{held.get(name)} {name}" for name in _COUNTS) for held in (old, new))
        return f"was started on {old}, the data now is {new}"

    def configuration(self) -> Configuration:
        """What the run was started with; DimError if the folder is no run, or that cannot be read."""
        file, remedy = self.configuration_file, "repair it, or choose another RUN= name"
        if not file.exists():
            raise DimError(f"{self.path} is not a run: it has no {file.name}; train it: make train RUN=…")
        settings = read_json(file, dict, remedy)
        if self.settings is Configuration and "content" in settings:
            own = "make text-classification, text-similarity and recommend measure and ask their own"
            raise DimError(f"{self.path} is a run of texts or of films, not of images; {own}")
        try:
            return self.settings(**settings)
        except (TypeError, DimError) as error:
            raise DimError(f"{file} cannot be used ({error}); {remedy}") from error

    def dataset(self, where: str = "") -> Dataset:
        """The images that the run was started on, or those at another place, as of `dim.data.load`.

        Where its own have changed since, that is printed.
        """
        from dim import data

        dataset = data.load_of(self.configuration(), where)
        if not where and (change := self.other_than(dataset)):
            print(f"{self.path} {change}", flush=True)
        return dataset

    def load(self):
        """The model as of the last complete epoch, compiled, optimizer included.

        Raises DimError if there is no checkpoint, it is damaged, or it is not of this run.
        """
        from dim.methods.build import check_model  # which registers every class that a checkpoint may name

        if not self.checkpoint.exists():
            raise DimError(f"{self.path} has no checkpoint yet; train it: make train RUN={self.name}")
        remedy = "put a good copy there, or remove it to train this run from the start"
        model = pretrained.loaded(self.checkpoint, remedy)
        try:
            if self.settings is Configuration:
                check_model(model, self.configuration())
        except ValueError as error:
            raise DimError(f"{self.checkpoint} is not of this run ({error}); {remedy}") from error
        return model

    def load_encoder(self):
        """The encoder: that of the checkpoint, or where there is none, the one that was kept alone.

        Raises DimError as `load` does.
        """
        alone = self.settings is Configuration and self.encoder.exists() and not self.checkpoint.exists()
        if not alone:
            return self.load().encoder
        return pretrained.encoder_in(self.encoder, self.configuration())

    def save(self, model) -> None:
        """Replaces the checkpoint."""
        replace(self.checkpoint, model.save)

    def log_epoch(self, epoch: int, values: dict[str, float]) -> None:
        """Writes the row of an epoch, the first being 1, in place of its own and any later ones.

        There are such rows when a run was killed after logging an epoch and before saving it.
        """
        lines = self.log.read_text("utf8", "replace").splitlines() if self.log.exists() else []
        kept = [line for line in lines if (found := _ROW.match(line)) and 0 < int(found[1]) < epoch]
        row = [str(epoch), *(f"{value:.6g}" for value in values.values())]
        text = "\n".join([",".join(["epoch", *values]), *kept, ",".join(row), ""])
        replace(self.log, lambda file: file.write_text(text, "utf8"))

    def write_json(self, file: Path, content: dict) -> None:
        """Replaces one of the run's JSON files."""
        replace(file, lambda file: file.write_text(json.dumps(content, indent=2) + "\n", "utf8"))

    def read_json(self, file: Path, *names: str) -> dict:
        """Content of one of the run's JSON files, of the form that a file of its name has, with these names.

        Raises DimError if it cannot be read, or has another form.
        """
        return read_json(file, {**dict.fromkeys(names, object), **_FORMS.get(file.name, {})})

    def _check_folder(self) -> None:
        if self.configuration_file.exists() or not self.path.exists():
            return
        if not self.path.is_dir() or not all(f.name.startswith(UNFINISHED) for f in self.path.iterdir()):
            raise DimError(f"{self.path} is not empty and not a run; give this one another RUN= name")


def _held(dataset: Dataset) -> dict:
    counts = len(dataset.train), len(dataset.val), len(dataset.class_names)
    return {**dict(zip(_COUNTS, counts, strict=True)), "fingerprint": dataset.fingerprint}
