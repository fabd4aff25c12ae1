"""Data sets that somebody damaged, moved, disguised or blew up, by the command that a user types.

What can be opened is told by the next complaint, that a batch is larger than all of it: so Keras need not
be imported.
"""

import os
import signal
import subprocess
import time
import zipfile

import pytest
from PIL import Image

OPEN = ["--image-size", "16", "--batch-size", "100000"]


def opened(refused, where) -> str:
    complaint = refused("train", "--data", where, *OPEN)
    assert "is more than the" in complaint
    return complaint


def test_bad_images_of_every_kind_are_named_and_left_out(refused, photographs, tmp_path):
    for i in range(560):
        os.link(photographs / "blotches/blotches 0.png", photographs / f"blotches/more {i}.png")
    bad = photographs / "stripes"
    Image.new("RGB", (16, 16)).save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(bad / "eps.jpg")
    os.mkfifo(bad / "pipe.png")
    (bad / "device.png").symlink_to("/dev/zero")
    Image.new("1", (9000, 9000)).save(bad / "pixels.png")
    with (bad / "bytes.webp").open("wb") as file:
        file.truncate(2**40)
    (bad / "caf\udce9\n.png").write_text("no image")
    assert "more than the 5" in opened(refused, photographs)
    (skipped,) = tmp_path.rglob("skipped.txt")
    reasons = dict(line.split(".", 1) for line in skipped.read_text("utf8").splitlines())
    for name, reason in {
        "eps": "cannot identify this",
        "pipe": "no regular file",
        "device": "no regular file",
        "pixels": "9,000×9,000 pixels are more than",
        "bytes": "1,099,511,627,776 bytes are more than",
        r"caf\udce9\n": "cannot identify this",
    }.items():
        assert reason in reasons.pop(f"stripes/{name}")
    assert not reasons


def a_bomb(archive):
    with archive.open("tiny/train/n01/images/big.JPEG", "w", force_zip64=True) as file:
        for _ in range(300):
            file.write(bytes(2**20))


def an_encrypted_text(archive):
    archive.getinfo("tiny/val/val_annotations.txt").flag_bits = 1


@pytest.mark.parametrize(
    ("change", "reason"), [(a_bomb, "314,572,800 bytes are more"), (an_encrypted_text, "encrypted")]
)
def test_hostile_zips_are_refused(change, reason, refused, tiny_zip):
    with zipfile.ZipFile(tiny_zip, "a", zipfile.ZIP_DEFLATED) as archive:
        archive._didModify = True
        change(archive)
    assert reason in refused("train", "--data", tiny_zip, *OPEN)


def test_what_is_no_data_set_is_said_as_such(refused, photographs, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "neither a folder nor a file" in refused("train", "--data", "pipe")
    image = photographs / "stripes/stripes 0.png"
    complaint = refused("train", "--data", image)
    assert "a single image" in complaint and "fetch" not in complaint
    assert "no regular file" in refused("knn", "--image", "/dev/zero", "--run", _claimed(photographs))


def _claimed(photographs) -> str:
    """A run that has come as far as its configuration."""
    from dim.configuration import Configuration
    from dim.training.run import Run

    Run("claimed").claim(Configuration(data=str(photographs), image_size=16))
    return "claimed"


def test_single_photographs_stay_in_train_and_odd_folders_open(refused, photographs, tmp_path):
    for i in range(30):  # one in ten would be held out
        (photographs / f"one {i}").mkdir()
        (photographs / "stripes" / f"stripes {i}.png").rename(photographs / f"one {i}/a.png")
    odd = photographs.rename(tmp_path / ("unfinished-" + "p" * 229))
    assert "training images of data-unfinished-ppp" in opened(refused, odd)


def test_a_killed_decoding_leaves_no_process_and_what_it_left_is_swept(start, refused, photographs, tmp_path):
    Image.new("RGB", (4000, 4000)).save(tmp_path / "large.png")
    slow = tmp_path / "slow"
    slow.mkdir()
    for i in range(300):
        os.link(tmp_path / "large.png", slow / f"{i}.png")
    process = start("train", "--data", slow, *OPEN, inside=["setsid"])
    while not (left := list((tmp_path / "cache").glob("*.tmp/images.npy"))):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    time.sleep(0.2)
    others = subprocess.run(["ps", "-s", str(process.pid), "-o", "pid="], capture_output=True, text=True)
    assert others.stdout.split() == [] and left[0].exists()
    opened(refused, photographs)
    assert not left[0].exists()
