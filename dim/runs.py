"""A run is a folder: what was trained on what, where it stands, and what came of it.

configuration.json   the resolved configuration
checkpoint.keras     the whole model with its optimizer after the last complete epoch
encoder.keras        the encoder alone, for plain Keras; written when training is complete
log.csv              one row an epoch
results.json         accuracies of the complete run beside the baselines
events.out.tfevents… what TensorBoard shows; neighbour pictures lie beside it
"""

import json
from dataclasses import asdict
from pathlib import Path

from dim.configuration import Configuration
from dim.errors import DimError

RUNS = Path("runs")
_MAY_CHANGE = {"epochs"}


class Run:
    """One run folder.

    Args:
        name: of a folder in `runs/`, or a path if it has a slash.
    """

    def __init__(self, name: str | Path):
        self.name = str(name)
        self.path = Path(name) if "/" in self.name else RUNS / name
        self.configuration_file = self.path / "configuration.json"
        self.checkpoint = self.path / "checkpoint.keras"
        self.encoder = self.path / "encoder.keras"
        self.log = self.path / "log.csv"
        self.results = self.path / "results.json"

    @classmethod
    def newest(cls) -> "Run":
        """The run whose checkpoint was written last.

        Raises:
            DimError: there is none.
        """
        checkpoints = sorted(RUNS.glob("*/checkpoint.keras"), key=lambda file: file.stat().st_mtime)
        if not checkpoints:
            raise DimError(f"no trained run in {RUNS.absolute()}; train one first: make train")
        return cls(checkpoints[-1].parent.name)

    def claim(self, configuration: Configuration) -> None:
        """Makes the folder and writes the configuration, or checks that it is the run's own.

        Raises:
            DimError: the folder holds a run of another configuration.
        """
        if self.configuration_file.exists():
            old, new = asdict(self.configuration()), asdict(configuration)
            other = [name for name in new if old[name] != new[name] and name not in _MAY_CHANGE]
            if other:
                differences = ", ".join(f"{name} {old[name]!r}, not {new[name]!r}" for name in other)
                raise DimError(f"{self.path} holds a run with {differences}; give this one another RUN= name")
        elif self.path.exists() and any(self.path.iterdir()):
            raise DimError(f"{self.path} is not empty and not a run; give this one another RUN= name")
        self.path.mkdir(parents=True, exist_ok=True)
        self.write_json(self.configuration_file, asdict(configuration))

    def configuration(self) -> Configuration:
        """What the run was started with.

        Raises:
            DimError: the folder is not a run, or its configuration cannot be read.
        """
        if not self.configuration_file.exists():
            raise DimError(
                f"{self.path} is not a run: it has no configuration.json; train it: make train RUN=…"
            )
        try:
            return Configuration(**json.loads(self.configuration_file.read_text("utf8")))
        except (ValueError, TypeError) as error:
            raise DimError(
                f"{self.configuration_file} cannot be read ({error}); remove {self.path}"
            ) from error

    def load(self):
        """The model as of the last complete epoch, compiled, optimizer included.

        Raises:
            DimError: there is no checkpoint, or it is damaged.
        """
        import keras

        import dim.build  # noqa: F401  (registers every class that a checkpoint may name)

        if not self.checkpoint.exists():
            raise DimError(f"{self.path} has no checkpoint yet; train it: make train RUN={self.name}")
        try:
            return keras.saving.load_model(self.checkpoint)
        except Exception as error:  # a damaged zip, HDF5 file or JSON each raise in their own way
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise DimError(
                f"{self.checkpoint} is damaged ({reason[:120]}); put a good copy there, "
                "or remove it to train this run from the start"
            ) from error

    def save(self, model) -> None:
        """Replaces the checkpoint; at any moment the old or the new one is whole on disk."""
        unfinished = self.path / "unfinished.keras"
        model.save(unfinished)
        unfinished.replace(self.checkpoint)

    def log_epoch(self, epoch: int, values: dict[str, float]) -> None:
        """Writes the row of an epoch, the first being 1, in place of any that follow the one before it.

        There are such rows when a run was killed after logging an epoch and before saving it.
        """
        rows = self.log.read_text("utf8").splitlines()[1:epoch] if self.log.exists() else []
        row = [str(epoch), *(f"{value:.6g}" for value in values.values())]
        self.log.write_text("\n".join([",".join(["epoch", *values]), *rows, ",".join(row), ""]), "utf8")

    @staticmethod
    def write_json(file: Path, content: dict) -> None:
        """Writes atomically."""
        unfinished = file.with_suffix(".tmp")
        unfinished.write_text(json.dumps(content, indent=2) + "\n", "utf8")
        unfinished.replace(file)
