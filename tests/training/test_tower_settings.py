import math

import pytest

from dim.training.tower_settings import Settings


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("epochs", 0, "--epochs must be at least 1, not 0"),
        ("batch_size", -1, "--batch-size must be at least 1"),
        ("history", 0, "--history must be at least 1"),
        ("learning_rate", 0.0, "--learning-rate must be positive, not 0.0"),
        ("temperature", math.nan, "--temperature must be positive, not nan"),
    ],
)
def test_what_cannot_be_is_one_line(name, value, complaint, refused):
    with refused(complaint):
        Settings(**{name: value})
