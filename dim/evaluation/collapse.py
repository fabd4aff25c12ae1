"""Gauges of collapse: do the codes use the room they have?"""

import numpy as np


def direction_spread(codes: np.ndarray) -> float:
    """√D times the mean standard deviation of the L2-normalised codes' components.

    About 1 when directions are spread evenly, 0 when all codes point the same way. The loss can fall
    while this falls too, which is what a gauge is for.

    Args:
        codes: [N, D] float.
    """
    length = np.linalg.norm(codes, axis=1, keepdims=True)
    directions = codes / np.where(length > 0, length, 1)
    return float(directions.std(axis=0).mean() * np.sqrt(codes.shape[1]))
