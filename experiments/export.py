"""Writes the encoder and the codes of an index in forms that other programs read.

Into the folder export/ of the run: encoder.keras and encoder.onnx; and, of the index, codes.parquet and the
files of TensorBoard's projector. As NumPy the codes are in the index already.
"""

import shlex
from dataclasses import dataclass

from dim.files import check_writable, replace
from dim.names import printable
from dim.training.run import Run
from experiments import command_line


@dataclass(frozen=True)
class Options:
    """Options of `export`."""

    run: str = ""
    """Name of the folder in runs/ (or a path); by default the run trained last."""
    data: str = ""
    """Name or path of the indexed data set; by default the one indexed last."""


def export(options: Options) -> None:
    """Exports what there is.

    Raises:
        DimError: there is no run, or the index is damaged, or ONNX computes something else.
    """
    from dim.search.index import find

    run = Run.chosen(options.run)
    run.configuration()
    check_writable(run.path)
    index = find(run.path, options.data) if options.data or any(run.path.glob("index/*/index.json")) else None
    folder = run.path / "export"
    folder.mkdir(exist_ok=True)
    if index is None:
        print(f"no index, so no codes; make one: make index RUN={printable(shlex.quote(run.name))} DATA=…")
    else:
        _export_codes(index, folder)

    command_line.import_keras()
    from dim.encoders import in_plain_keras
    from dim.export.onnx import write_onnx

    encoder = run.load().encoder

    replace(folder / "encoder.keras", in_plain_keras(encoder).save)
    print(printable(folder / "encoder.keras"))
    difference = write_onnx(folder / "encoder.onnx", encoder)
    onnx = printable(folder / "encoder.onnx")
    print(f"{onnx}: codes differ from those of Keras in float32 by {difference:.1g} at most, relatively")


def _export_codes(index, folder) -> None:
    from dim.export.index_table import write_codes_table, write_index_projector

    codes = printable(index.folder / "codes.npy")
    print(f"{codes}: {len(index):,} codes of length {index.codes.shape[1]}")
    replace(folder / "codes.parquet", lambda file: write_codes_table(file, index))
    print(printable(folder / "codes.parquet") + ": path, label, code")
    shown = write_index_projector(folder, index)
    look = f"tensorboard --logdir {shlex.quote(str(folder))}"
    print(printable(f"{folder / 'projector'}/: {shown:,} codes; look at them: {look}"))


if __name__ == "__main__":
    command_line.run(export, Options, __doc__)
