"""ONNX Runtime, which tells nobody that it is used."""

import os
from pathlib import Path


def session(file: str | Path):
    """An `InferenceSession` of an ONNX file, on processors.

    ONNX Runtime reports its use to its makers unless it is told not to before it is imported.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
