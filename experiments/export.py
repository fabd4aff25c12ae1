"""Writes the encoder and the codes of an index in forms that other programs read.

Into the folder export/ of the run: encoder.keras and encoder.onnx; and, of the index, codes.parquet and the
files of TensorBoard's projector. As NumPy the codes are in the index already.
"""

import shlex
from pathlib import Path

from dim.files import replace
from dim.names import printable
from dim.training.run import Run
from experiments import command_line
from experiments.options import OfIndex as Options


def export(options: Options) -> None:
    """Exports what there is."""
    run, configuration = options.opened()
    folder = run.path / "export"
    folder.mkdir(exist_ok=True)
    if options.data or any(run.path.glob("index/*/index.json")):
        _export_codes(run, options.data, folder)
    else:
        print(f"no index, so no codes; make one: make index RUN={printable(shlex.quote(run.name))} DATA=…")

    command_line.import_keras()
    from dim.encoders import in_plain_keras
    from dim.export.onnx import write_onnx

    encoder, onnx = run.load_encoder(), folder / "encoder.onnx"
    replace(folder / "encoder.keras", in_plain_keras(encoder).save)
    print(printable(folder / "encoder.keras"))
    difference = f"{write_onnx(onnx, encoder, configuration.image_size):.1g} at most, relatively"
    print(printable(f"{onnx}: codes differ from those of Keras in float32 by {difference}"))


def _export_codes(run: Run, data: str, folder: Path) -> None:
    from dim.export.index_table import write_codes_table, write_index_projector
    from dim.search.index import find

    index, table = find(run.path, data), folder / "codes.parquet"
    N, D = index.codes.shape
    print(printable(f"{index.folder / 'codes.npy'}: {N:,} codes of length {D}"))
    replace(table, lambda file: write_codes_table(file, index))
    print(printable(f"{table}: path, label, code"))
    shown = write_index_projector(folder, index)
    look = f"tensorboard --logdir {shlex.quote(str(folder))}"
    print(printable(f"{folder / 'projector'}/: {shown:,} codes; look at them: {look}"))


if __name__ == "__main__":
    command_line.run(export, Options, __doc__)
