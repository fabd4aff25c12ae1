"""The devices that share the work of every step, by Keras' distribution on JAX."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import keras

from dim.configuration import Configuration
from dim.device import device_count
from dim.errors import DimError
from dim.training.hosts import Hosts


class Devices:
    """So many devices of each host, or all there are; each works on its part of every batch.

    What is computed is what one device would, the whole batch being one: pairs, statistics, random numbers.
    Raises DimError if there are fewer than `wanted`, or the backend is one that uses no more than one.
    """

    def __init__(self, wanted: int, hosts: Hosts):
        self.hosts, found, backend = hosts, device_count(), keras.backend.backend()
        if wanted < 0 or wanted > found:
            raise DimError(f"--devices {wanted}: there are {found} here; 0 takes all of them")
        if backend != "jax" and wanted > 1:
            raise DimError(
                f"--devices {wanted}: {backend} trains on one; set KERAS_BACKEND=jax, which uses several"
            )
        self.of_each = (wanted or found) if backend == "jax" else 1
        self.unused = found - 1 if backend != "jax" and not wanted else 0
        self.count = self.of_each * hosts.count
        self.distribution = self._distribution() if self.count > 1 else None

    def __str__(self) -> str:
        several = f", {self.count} devices" * (self.count > 1)
        return several + f" of {self.hosts.count} processes" * (self.hosts.count > 1)

    def _distribution(self):
        import jax

        chosen = [device for p in range(self.hosts.count) for device in jax.local_devices(p)[: self.of_each]]
        return keras.distribution.DataParallel(devices=chosen, auto_shard_dataset=False)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """What is made and computed meanwhile lies on all of the devices."""
        if self.distribution is None:
            yield
        else:
            with self.distribution.scope():
                yield

    def model(self, begun: Callable[[], keras.Model]) -> keras.Model:
        """What `begun` makes in process 0, on all of the devices."""
        if self.hosts.count == 1:
            with self.at_work():
                return begun()
        with TemporaryDirectory() as folder:
            file = Path(folder) / "model.keras"
            if self.hosts.leads:
                begun().save(file)
            content = b64encode(file.read_bytes()).decode() if self.hosts.leads else ""
            file.write_bytes(b64decode(self.hosts.exchange(content)[0]))
            keras.utils.set_random_seed(
                0
            )  # JAX wants even what is overwritten at once to be the same everywhere
            with self.at_work():
                return keras.saving.load_model(file)

    def check_batch(self, configuration: Configuration, classes: int) -> None:
        """Raises DimError if the devices cannot share the images of a step equally."""
        c, images = configuration, configuration.images_per_step(classes)
        if images % self.count == 0:
            return
        size = next(size for size in _near(c.batch_size) if self._fits(c, size, classes))
        fewer = [n for n in range(1, self.of_each) if images % (n * self.hosts.count) == 0]
        remedy = f"try --batch-size {size}" + f" or --devices {fewer[-1]}" * bool(fewer)
        raise DimError(f"{self.count} devices cannot share the {images} images of a step equally; {remedy}")

    def _fits(self, c: Configuration, size: int, classes: int) -> bool:
        try:
            return replace(c, batch_size=size).images_per_step(classes) % self.count == 0
        except DimError:
            return False

    def part(self, batch_size: int) -> slice:
        """The rows of each batch that this process feeds."""
        rows = batch_size // self.hosts.count
        return slice(self.hosts.process * rows, (self.hosts.process + 1) * rows)


def _near(size: int) -> Iterator[int]:
    for distance in count(1):
        yield size + distance
        if size - distance > 1:
            yield size - distance


@contextmanager
def on_one() -> Iterator[None]:
    """What is made and computed meanwhile lies on one device of this process alone."""
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)
