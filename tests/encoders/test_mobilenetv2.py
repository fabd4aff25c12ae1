"""MobileNetV2 has the parameters of its paper's table."""

import pytest

from dim.encoders import mobilenetv2_encoder

BOTTLENECKS = [  # Sandler et al. 2018, table 2: expansion, channels, repetitions
    (1, 16, 1),
    (6, 24, 2),
    (6, 32, 3),
    (6, 64, 4),
    (6, 96, 3),
    (6, 160, 3),
    (6, 320, 1),
]


@pytest.mark.parametrize("size", [32, 64])
def test_the_parameters_are_those_of_the_table_of_its_paper(size):
    kernels, normalised, narrow = 3 * 3 * 3 * 32, 32, 32
    for expansion, channels, repetitions in BOTTLENECKS:
        for _ in range(repetitions):
            wide = expansion * narrow
            kernels += (narrow * wide if expansion > 1 else 0) + 3 * 3 * wide + wide * channels
            normalised += (wide if expansion > 1 else 0) + wide + channels
            narrow = channels
    kernels += narrow * 1280
    normalised += 1280
    body = mobilenetv2_encoder(size, 7).count_params() - 2 * (1280 + 1) * 7
    assert body == kernels + 4 * normalised == 2_257_984


@pytest.mark.parametrize(("size", "side"), [(32, 4), (64, 8)])
def test_it_is_split_at_an_eighth_of_the_side(size, side):
    assert mobilenetv2_encoder(size, 7).output["feature_map"].shape == (None, side, side, 192)
