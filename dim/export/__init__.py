"""Encoders and codes for other programs: ONNX, Parquet, scikit-learn."""
