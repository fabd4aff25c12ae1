"""What a data set is once it is decoded."""

import numpy as np
import pytest

from dim.data import Split


@pytest.mark.parametrize("labels", [None, np.arange(10, 14)])
def test_rows_of_a_split_are_in_the_order_asked_for(labels):
    split = Split(np.arange(4)[:, None], labels, ["a", "b", "c", "d"])
    few = split.rows(np.array([2, 0]))
    assert few.images[:, 0].tolist() == [2, 0] and few.names == ["c", "a"]
    assert few.labels is None if labels is None else few.labels.tolist() == [12, 10]
