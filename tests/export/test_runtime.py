"""ONNX Runtime reports nothing to anybody."""

import os
import subprocess
import sys

PROGRAM = """
from onnx import TensorProto, helper
from dim.export.runtime import session

x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [x], [y])
opset = helper.make_opsetid("", 13)
helper.onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), "neg.onnx")
assert session("neg.onnx").get_inputs()[0].name == "x"
"""


def test_a_session_leaves_no_number_by_which_its_user_would_be_known(tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    environment |= {"TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, check=True, env=environment)
    assert [file.name for file in tmp_path.iterdir()] == ["neg.onnx"]
