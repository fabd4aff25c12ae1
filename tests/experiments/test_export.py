"""Everything that leaves a run, by one command."""

import keras
import numpy as np
import pytest

from experiments.export import Options, export
from experiments.index import Options as MakeIndex
from experiments.index import index


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="Keras exports ONNX by way of TensorFlow")
def test_encoder_and_codes_are_exported_and_the_encoder_alone_where_there_is_no_index(initial_run, capsys):
    export(Options(run=str(initial_run.path)))
    folder = initial_run.path / "export"
    assert "no index, so no codes" in capsys.readouterr().out
    assert {file.name for file in folder.iterdir()} == {"encoder.keras", "encoder.onnx"}
    encoder = initial_run.load().encoder
    index(MakeIndex(run=str(initial_run.path), metric="l2"))
    export(Options(run=str(initial_run.path)))
    out = capsys.readouterr().out
    assert "100 codes of length 8" in out and "codes differ from those of Keras in float32 by" in out
    held = {"encoder.keras", "encoder.onnx", "codes.parquet", "projector", "projector_config.pbtxt"}
    assert {file.name for file in folder.iterdir()} == held
    images = np.zeros((2, 16, 16, 3), "uint8")
    plain = keras.saving.load_model(folder / "encoder.keras")
    np.testing.assert_allclose(plain(images)["mean"], encoder(images)["mean"], atol=1e-4)
