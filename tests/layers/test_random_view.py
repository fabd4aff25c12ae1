"""Random views: range, identity, crops against a loop, colours, and independence of images."""

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from dim.layers.random_view import RandomView

NEUTRAL = {"area": 1.0, "aspect": 1.0, "brightness": 0.0, "contrast": 0.0, "channels": 0.0, "grey": 0.0}


def images(count=6, height=12, width=10):
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), "uint8")


def views(x, **settings):
    return ops.convert_to_numpy(RandomView(**{**NEUTRAL, **settings})(x))


def test_views_are_uint8_of_the_same_shape():
    x = RandomView()(images())
    assert "uint8" in str(x.dtype) and tuple(x.shape) == images().shape


@pytest.mark.parametrize("size", [7, 20])
def test_views_of_another_size_are_what_pillow_makes_of_the_image(size):
    """Of the whole image; Pillow's bilinear filter is the same triangle, as wide as a pixel of the view."""
    x = images(20).repeat(3, 1).repeat(3, 2)
    seen = views(x, size=size)
    assert seen.shape == (20, size, size, 3)
    for view, image in zip(seen.astype(int), x, strict=True):
        small = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR), int)
        assert min(abs(view - small).max(), abs(view[:, ::-1] - small).max()) <= 2


def test_without_any_change_a_view_is_the_image_or_its_mirror_image():
    x = images(40)
    seen = views(x)
    same = [(view == image).all() for view, image in zip(seen, x, strict=True)]
    mirrored = [(view == image[:, ::-1]).all() for view, image in zip(seen, x, strict=True)]
    assert all(a != b for a, b in zip(same, mirrored, strict=True))
    assert 8 < sum(mirrored) < 32


def test_a_crop_of_a_ramp_is_a_ramp_of_a_part():
    """Bilinear interpolation is exact on a linear image: each view stays linear and within its range."""
    ramp = np.broadcast_to(np.arange(0, 240, 10, "uint8")[None, :, None, None], (30, 24, 24, 3))
    steps = np.diff(views(np.ascontiguousarray(ramp), area=0.25)[:, 4:-4, 5, 0].astype(float), axis=1)
    slopes = steps.mean(axis=1)
    assert (abs(steps - slopes[:, None]) <= 1).all()  # rounding to uint8
    assert slopes.min() >= 4 and slopes.max() <= 10.5 and slopes.std() > 0.5


@pytest.mark.parametrize("area", [0.08, 0.3, 0.8])
def test_crops_keep_shares_of_the_area_from_the_least_to_all_and_sides_up_to_the_aspect(area):
    """Measured on ramps along both axes: each is as much flatter as the crop is smaller than the image."""
    ramp = np.arange(64)
    image = np.stack(np.broadcast_arrays(4 * ramp[:, None], 4 * ramp, 0), axis=-1).astype("uint8")
    seen = views(np.broadcast_to(image, (300, 64, 64, 3)), area=area, aspect=1.5)[:, 12:-12, 12:-12]
    height, width = (
        abs(np.diff(seen[..., axis].astype(float), axis=1 + axis).mean((1, 2))) / 4 for axis in (0, 1)
    )
    share, aspect = height * width, height / width
    assert share.min() == pytest.approx(area, abs=0.03) and share.max() == pytest.approx(1, abs=0.03)
    assert share.mean() == pytest.approx((1 + area) / 2, abs=0.05)
    widest = min(np.log(1.5), -np.log(area))  # of those that fit
    assert np.log([aspect.max(), 1 / aspect.min()]) == pytest.approx(widest, abs=0.07)
    assert abs(np.log(aspect).mean()) < 0.05


def test_the_whole_area_is_the_whole_image_whatever_the_aspect():
    x = images(40)
    seen = views(x, area=1.0, aspect=4 / 3)
    assert all((v == i).all() or (v == i[:, ::-1]).all() for v, i in zip(seen, x, strict=True))


def test_grey_views_have_equal_channels_of_the_right_luminance():
    x = images()
    seen = views(x, grey=1.0)
    assert (seen == seen[..., :1]).all()
    np.testing.assert_allclose(seen[..., 0].mean((1, 2)), (x @ [0.299, 0.587, 0.114]).mean((1, 2)), atol=0.6)


def test_contrast_keeps_the_mean_and_brightness_scales_it():
    x = (images() // 4 + 96).astype("uint8")
    np.testing.assert_allclose(views(x, contrast=0.4).mean((1, 2)), x.mean((1, 2)), atol=1)
    ratios = views(x, brightness=0.4).mean((1, 2)) / x.mean((1, 2))
    assert (ratios > 0.59).all() and (ratios < 1.41).all() and ratios[:, 0].std() > 0.05
    np.testing.assert_allclose(ratios, np.broadcast_to(ratios[:, :1], ratios.shape), atol=0.01)


def test_every_image_and_every_call_draws_anew_and_a_seed_repeats_it():
    x = np.broadcast_to(images(1), (8, 12, 10, 3))
    layer = RandomView(seed=3)
    first, second = (ops.convert_to_numpy(layer(x)) for _ in range(2))
    assert len({view.tobytes() for view in (*first, *second)}) == 16
    np.testing.assert_array_equal(first, ops.convert_to_numpy(RandomView(seed=3)(x)))


@pytest.mark.parametrize("precision", ["mixed_bfloat16"])
def test_precision_of_the_network_does_not_touch_the_views(precision):
    keras.config.set_dtype_policy(precision)
    x = images(20)
    seen = views(x)
    assert all((v == i).all() or (v == i[:, ::-1]).all() for v, i in zip(seen, x, strict=True))


def crops(count=300, S=48, **settings):
    """Where crops lie along both axes, as shares of the image: (start, size), [count] each, rows first.

    From views of two ramps, of which bilinear interpolation keeps all but the margins; mirrored back.
    """
    ramp = np.arange(0, 5 * S, 5)
    places = np.zeros((count, S, S, 3), "uint8")
    places[..., 0], places[..., 1] = ramp[:, None], ramp
    seen = views(places, **settings).astype(float) / 5 + 0.5  # positions of pixels in the image
    inner, centres = slice(S // 4, -S // 4), (np.arange(S) + 0.5) / S
    found = []
    for along in seen[:, inner, S // 2, 0], seen[:, S // 2, inner, 1]:
        slope, start = np.polyfit(centres[inner], along.T / S, 1)
        found.append((np.minimum(start, start + slope), np.abs(slope)))
    return found


def test_crops_lie_anywhere_in_the_image():
    """Bilinear interpolation of small crops: of the room that a crop leaves, any share is before it."""
    for start, size in crops(area=0.2):
        room = (start / (1 - size))[size < 0.8]
        assert len(room) > 100 and room.min() > -0.05 and room.max() < 1.05
        assert np.histogram(room, 4, (-0.05, 1.05))[0].min() > len(room) / 8


def test_height_and_width_stretch_against_each_other():
    (_, height), (_, width) = crops(area=0.3, aspect=1.5)
    ratio = (height / width)[(height < 0.95) & (width < 0.95)]
    assert len(ratio) > 80 and 1 / 1.55 < ratio.min() < 0.75 and 1.33 < ratio.max() < 1.55
    assert abs(np.log(ratio).mean()) < 0.06


def test_shares_of_the_area_are_drawn_evenly():
    (_, height), (_, width) = crops(area=0.2)
    counts, _ = np.histogram(height * width, 4, (0.2, 1))
    assert counts.min() > 300 / 8


def test_each_channel_of_each_image_changes_on_its_own():
    x = np.full((60, 8, 8, 3), 100, "uint8")
    ratios = views(x, channels=0.2)[:, 0, 0] / 100
    assert (abs(ratios - 1) <= 0.21).all() and (ratios.std(axis=0) > 0.08).all()
    assert (abs(np.corrcoef(ratios.T)[np.triu_indices(3, 1)]) < 0.5).all()


def test_each_image_has_a_contrast_of_its_own():
    x = np.broadcast_to((images(1) // 4 + 96).astype("uint8"), (60, 12, 10, 3))
    ratios = views(x, contrast=0.4).std((1, 2, 3)) / x[0].std()
    assert ratios.min() > 0.58 and ratios.max() < 1.42 and ratios.std() > 0.15


def test_so_many_lose_their_colour_as_they_should():
    x = np.broadcast_to(np.array([200, 100, 50], "uint8"), (400, 4, 4, 3))
    grey = np.ptp(views(x, grey=0.2)[:, 0, 0], axis=1) == 0
    assert 50 < grey.sum() < 110


def test_another_seed_draws_others():
    one, other = (ops.convert_to_numpy(RandomView(seed=seed)(images())) for seed in (3, 4))
    assert (one != other).any()
