import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dim.data import decode
from dim.data.decode import decode_image, decode_member, read_images, read_member

RED, WHITE = (255, 0, 0), (255, 255, 255)


def encoded(image: Image.Image, kind: str, **options) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def corners() -> Image.Image:
    """Red at the top left, green at the top right, blue at the bottom left, white at the bottom right."""
    pixels = np.zeros((32, 32, 3), "uint8")
    pixels[:16, :16], pixels[:16, 16:] = RED, (0, 255, 0)
    pixels[16:, :16], pixels[16:, 16:] = (0, 0, 255), WHITE
    return Image.fromarray(pixels)


def assert_is(image: np.ndarray, colour, tolerance: int = 0):
    assert image.dtype == np.uint8
    assert image.shape[2] == 3
    assert np.abs(image.astype(int) - colour).max() <= tolerance


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP", "JPEG"])
def test_a_colour_survives_each_format(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    file = encoded(Image.new("RGB", (8, 8), (200, 100, 50)), kind, **options)
    assert_is(decode_image(file, 8), (200, 100, 50), tolerance=2 if kind == "JPEG" else 0)


def test_an_image_of_the_right_size_keeps_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype="uint8")
    assert np.array_equal(decode_image(encoded(Image.fromarray(pixels), "PNG"), 24), pixels)


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, (0, 0, 255))]
    file = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert_is(decode_image(file, 8), RED)


def test_a_palette_becomes_its_colours():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    assert_is(decode_image(encoded(image, "PNG"), 8), (10, 200, 30))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_greyscale_becomes_three_equal_channels(kind):
    assert_is(decode_image(encoded(Image.new("L", (8, 8), 77), kind), 8), (77, 77, 77))


def test_black_and_white_becomes_0_and_255():
    assert_is(decode_image(encoded(Image.new("1", (8, 8), 1), "PNG"), 8), WHITE)


@pytest.mark.parametrize(("deep", "grey"), [(0, 0), (0x4000, 0x40), (0xFFFF, 255)])
def test_16_bit_grey_is_scaled_not_clipped(deep, grey):
    image = Image.fromarray(np.full((8, 8), deep, "uint16"))
    assert_is(decode_image(encoded(image, "PNG"), 8), (grey, grey, grey))


def test_cmyk_becomes_rgb():
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert_is(decode_image(encoded(image, "JPEG"), 8), RED, tolerance=2)


@pytest.mark.parametrize(
    ("mode", "colour", "over_white"),
    [
        ("RGBA", (255, 0, 0, 0), WHITE),
        ("RGBA", (255, 0, 0, 255), RED),
        ("RGBA", (255, 0, 0, 128), (255, 127, 127)),
        ("LA", (0, 128), (127, 127, 127)),
    ],
)
def test_transparency_is_laid_over_white(mode, colour, over_white):
    assert_is(decode_image(encoded(Image.new(mode, (8, 8), colour), "PNG"), 8), over_white, tolerance=1)


def test_a_transparent_colour_of_a_palette_is_laid_over_white():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    assert_is(decode_image(encoded(image, "PNG", transparency=1), 8), WHITE)


@pytest.mark.parametrize(
    ("orientation", "undo"),
    [
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
        (3, Image.Transpose.ROTATE_180),
        (6, Image.Transpose.ROTATE_90),
        (8, Image.Transpose.ROTATE_270),
    ],
)
def test_exif_rotation_is_applied(orientation, undo):
    exif = Image.Exif()
    exif[0x0112] = orientation
    lying = corners().transpose(undo)
    upright = decode_image(encoded(lying, "JPEG", exif=exif, quality=95), 32)
    centres = upright[8::16, 8::16].reshape(4, 3)
    assert np.abs(centres.astype(int) - [RED, (0, 255, 0), (0, 0, 255), WHITE]).max() < 6


@pytest.mark.parametrize("size", [(60, 20), (20, 60)])
def test_the_central_square_is_kept(size):
    pixels = np.zeros((60, 20, 3), "uint8")
    pixels[20:40] = RED
    image = Image.fromarray(pixels)
    image = image if image.size == size else image.transpose(Image.Transpose.ROTATE_90)
    found = decode_image(encoded(image, "PNG"), 20)
    assert found.shape == (20, 20, 3)
    assert_is(found, RED)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (8, 9), (700, 333)])
def test_any_size_becomes_the_square_asked_for(size):
    found = decode_image(encoded(Image.new("RGB", size, RED), "JPEG"), 16)
    assert found.shape == (16, 16, 3)
    assert_is(found, RED, tolerance=2)


def test_a_large_jpeg_looks_as_if_scaled_from_all_its_pixels():
    ramp = np.linspace(0, 255, 1024).astype("uint8")
    image = Image.fromarray(np.stack(np.broadcast_arrays(ramp, ramp[:, None], 128), axis=-1).astype("uint8"))
    found = decode_image(encoded(image, "JPEG", quality=95), 64)
    assert np.abs(found.astype(int) - np.asarray(image.resize((64, 64), Image.Resampling.BOX))).max() < 6


def test_a_large_jpeg_keeps_the_detail_that_the_size_can_show():
    stripes = np.zeros((200, 200), "uint8")
    stripes[np.arange(200) // 10 % 2 == 0] = 255
    assert decode_image(encoded(Image.fromarray(stripes), "JPEG", quality=95), 64).std() > 110


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
def test_a_truncated_image_raises(kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype="uint8")
    whole = encoded(Image.fromarray(noise), kind).getvalue()
    with pytest.raises((OSError, SyntaxError, ValueError)):
        decode_image(io.BytesIO(whole[: len(whole) // 2]), 64)


@pytest.mark.parametrize("content", [b"", b"not an image"])
def test_what_is_no_image_raises(content):
    with pytest.raises(OSError, match="cannot identify"):
        decode_image(io.BytesIO(content), 64)


def test_a_file_is_read_by_its_name(paint):
    file = paint("Größe ß/a b.png", RED)
    assert_is(decode_image(file, 8), RED)
    assert_is(decode_image(str(file), 8), RED)


def test_a_zip_that_was_replaced_is_opened_again(paint):
    for time, colour in enumerate([RED, WHITE]):
        with zipfile.ZipFile("images.zip", "w") as archive:
            archive.write(paint("a.png", colour), "inside/a.png")
        os.utime("images.zip", ns=(time, time))
        assert_is(decode_member("inside/a.png", "images.zip", changed=time, size=8), colour)


def test_an_eps_in_disguise_is_not_drawn(paint, monkeypatch):
    """Pillow would call Ghostscript for it."""
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_: pytest.fail("Ghostscript"))
    paint("a.eps", RED).rename("a.jpg")
    with pytest.raises(OSError, match="cannot identify this as BMP, GIF, JPEG, PNG, WEBP"):
        decode_image("a.jpg", 8)


@pytest.mark.parametrize("kind", ["TIFF", "PPM", "ICO", "PCX"])
def test_other_kinds_are_not_opened(kind):
    with pytest.raises(OSError, match="cannot identify") as caught:
        decode_image(encoded(Image.new("RGB", (8, 8)), kind), 8)
    assert "BytesIO" not in str(caught.value)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda file: Path(file).symlink_to("/dev/zero")])
def test_what_is_no_regular_file_is_not_waited_for(make, refused):
    make("a.png")
    with pytest.raises(OSError, match="no regular file"):
        decode_image("a.png", 8)
    with refused("a.png cannot be read", "no regular file"):
        read_images(["a.png"], 8)


def test_too_many_pixels_are_refused_before_they_are_decoded(monkeypatch):
    monkeypatch.setattr(decode, "MOST_PIXELS", 100 * 100)
    assert_is(decode_image(encoded(Image.new("RGB", (100, 100), RED), "PNG"), 8), RED)
    monkeypatch.setattr(decode, "to_rgb", lambda _: pytest.fail("decoded"))
    with pytest.raises(ValueError, match="101×100 pixels are more than 10,000"):
        decode_image(encoded(Image.new("RGB", (101, 100), RED), "PNG"), 8)


def test_a_jpeg_of_many_pixels_is_scaled_down_before(monkeypatch):
    monkeypatch.setattr(decode, "MOST_PIXELS", 100 * 100)
    assert_is(decode_image(encoded(Image.new("RGB", (790, 790), RED), "JPEG"), 8), RED, tolerance=2)


def test_an_image_that_pillow_finds_large_is_read_without_a_warning(monkeypatch, recwarn):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert_is(decode_image(encoded(Image.new("RGB", (40, 40), RED), "PNG"), 8), RED)
    with pytest.raises(Image.DecompressionBombError):
        decode_image(encoded(Image.new("RGB", (50, 50), RED), "PNG"), 8)


def test_a_file_of_too_many_bytes_is_not_read():
    with open("a.webp", "wb") as file:  # noqa: PTH123
        file.write(b"RIFF\x00\x00\x00\x00WEBP")
        file.truncate(2**40)  # sparse
    with pytest.raises(OSError, match=r"1,099,511,627,776 bytes are more"):
        decode_image("a.webp", 8)


def test_no_memory_is_said_as_such(paint, monkeypatch, refused):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(decode, "squared", full)
    with refused("no memory is left", "a.png"):
        read_images([paint("a.png", RED)], 8)


@pytest.mark.parametrize("said", [None, 10], ids=["as it is", "said to be small"])
def test_of_a_member_no_more_is_read_than_the_zip_says_or_is_allowed(said):
    with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50_000_000))
        if said:
            archive.getinfo("zeros").file_size = said
    tracemalloc.start()
    with zipfile.ZipFile("bomb.zip") as archive, pytest.raises((OSError, zipfile.BadZipFile)):
        read_member(archive, "zeros", most=1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_that_has_no_bounds_is_not_unpacked(method):
    with zipfile.ZipFile("bomb.zip", "w", method) as archive:
        archive.writestr("zeros", bytes(10))
        with pytest.raises(OSError, match="other than deflate"):
            read_member(archive, "zeros", most=100)
