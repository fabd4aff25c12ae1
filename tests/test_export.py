"""What leaves for other programs comes out there as it was."""

import keras
import numpy as np
import onnxruntime
import pyarrow.parquet
import pytest
from imageio.v3 import imread

from dim import data
from dim.encoders import backbone_encoder, seed_encoder
from dim.export import check_onnx, write_codes_table, write_index_projector, write_onnx
from dim.indexing import build_index
from dim.runs import Run

only_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="Keras exports ONNX by way of TensorFlow"
)


@pytest.fixture
def index(paint, tmp_path):
    for i in range(11):
        paint(tmp_path / f"pets/{['cat', 'dog'][i % 2]}/{i} ü.png", (20 * i, 0, 0))
    where = str(tmp_path / "pets")
    return build_index(Run("first"), seed_encoder(8, 5), where, data.listed(where, 8), "exact", "cosine")


@pytest.mark.parametrize("rows", [3, 10_000])
def test_a_table_has_path_label_and_code_of_each_image(index, rows, tmp_path, monkeypatch):
    monkeypatch.setattr("dim.export._ROWS", rows)
    write_codes_table(tmp_path / "codes.parquet", index)
    table = pyarrow.parquet.read_table(tmp_path / "codes.parquet")
    np.testing.assert_array_equal(np.array(table["code"].to_pylist(), "float32"), index.codes)
    assert table["path"].to_pylist() == [index.name(i) for i in range(11)]
    assert table["label"].to_pylist() == ["cat"] * 6 + ["dog"] * 5


@pytest.mark.parametrize("most", [4, 2000])
def test_the_projector_has_a_row_and_a_thumbnail_for_each_code(index, most, tmp_path, monkeypatch):
    monkeypatch.setattr("dim.export._SHOWN", most)
    shown = min(most, 11)
    assert write_index_projector(tmp_path, index) == shown
    codes = np.loadtxt(tmp_path / "projector/codes.tsv")
    _, *lines = (tmp_path / "projector/names.tsv").read_text("utf8").splitlines()
    sheet = imread(tmp_path / "projector/thumbnails.png")
    names = {index.name(i): i for i in range(11)}
    assert len(codes) == len(lines) == shown
    for place, (code, line) in enumerate(zip(codes, lines, strict=True)):
        label, name = line.split("\t")
        np.testing.assert_allclose(code, index.codes[names[name]], rtol=1e-5)
        y, x = divmod(place, sheet.shape[1] // 32)
        red = 20 * int(name.split("/")[1].split(" ")[0])
        assert label == name.split("/")[0] and sheet[32 * y + 16, 32 * x + 16].tolist() == [red, 0, 0]


def small_backbone():
    images = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="split")(images)
    x = keras.layers.BatchNormalization()(keras.layers.AveragePooling2D(2)(x))
    return backbone_encoder(keras.Model(images, x), "split", image_size=16, code_size=5)


@only_tensorflow
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("make", [lambda: seed_encoder(16, 5), small_backbone], ids=["seed", "backbone"])
def test_onnx_computes_the_codes_of_the_encoder_for_batches_of_any_size(make, policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    encoder = make()
    for i, weight in enumerate(encoder.weights):  # moving averages of 0 and 1 would hide a mistake
        noise = np.random.default_rng(i).uniform(0, 0.2, weight.shape)
        weight.assign(weight + noise.astype("float32"))
    assert write_onnx(tmp_path / "ü encoder.onnx", encoder) <= 1e-4
    session = onnxruntime.InferenceSession(tmp_path / "ü encoder.onnx", providers=["CPUExecutionProvider"])
    assert (session.get_inputs()[0].type, len(session.get_outputs())) == ("tensor(uint8)", 1)
    for count in 1, 7:
        images = np.random.default_rng(1).integers(0, 256, (count, 16, 16, 3), "uint8")
        (codes,) = session.run(None, {session.get_inputs()[0].name: images})
        expected = encoder(images)["mean"]
        np.testing.assert_allclose(codes, expected, atol=0.05 * np.abs(expected).max())


@only_tensorflow
def test_a_file_that_computes_other_codes_is_refused(tmp_path, refused):
    write_onnx(tmp_path / "encoder.onnx", seed_encoder(16, 5))
    other = seed_encoder(16, 5)
    with refused("encoder.onnx", "do not use it"):
        check_onnx(tmp_path / "encoder.onnx", keras.Model(other.input, other.output["mean"]))


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="TensorFlow can")
def test_other_backends_say_which_one_can(tmp_path, refused):
    with refused("KERAS_BACKEND=tensorflow"):
        write_onnx(tmp_path / "encoder.onnx", seed_encoder(16, 5))
