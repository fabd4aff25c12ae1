"""Coders of a Ray cluster: one that cannot work says why in a line."""

from importlib.util import find_spec

import numpy as np
import pytest

from dim.search.crew import Coder, Decoded
from dim.search.spread import coded_by_ray
from tests.search.images import SIZE, decode, embed, end_this_process, recipe, write

pytestmark = pytest.mark.filterwarnings("ignore")  # of Ray's
installed = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")


def test_a_code_stands_where_its_image_stood():
    images = [decode((9, None)), "ValueError: broken", decode((8, None))]
    codes, node = Coder(embed, SIZE).codes(Decoded(images, "10.0.0.1"))
    assert codes[1] == "ValueError: broken" and node == "10.0.0.1"
    assert [codes[0][2], codes[2][2]] == [0, 2]
    np.testing.assert_array_equal(codes[0][0], images[0].sum())


@installed
def test_a_library_that_a_node_lacks_is_one_line(ray_here, tmp_path, refused):
    def lacking(images):
        import no_such_library

        return no_such_library

    with refused("node ", "No module named 'no_such_library'", "install requirements.txt there"):
        write(tmp_path, recipe(), coded_by_ray, lacking)


@installed
def test_an_encoder_that_ends_every_process_is_one_line(ray_here, tmp_path, refused):
    with refused("embedding ended 5 times on every node"):
        write(tmp_path, recipe(), coded_by_ray, lambda images: end_this_process())
