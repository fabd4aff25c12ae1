"""What the computation runs on."""

import os

import keras


def describe_device() -> str:
    """Backend and device in words, such as `tensorflow on CPU (2 cores)`."""
    backend = keras.backend.backend()
    accelerator = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[backend]()
    return f"{backend} on {accelerator or f'CPU ({len(os.sched_getaffinity(0))} cores)'}"


def _tensorflow() -> str | None:
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(devices[0])["device_name"] if devices else None


def _jax() -> str | None:
    import jax

    device = jax.devices()[0]
    return None if device.platform == "cpu" else device.device_kind


def _torch() -> str | None:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None
