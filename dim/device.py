"""What the computation runs on."""

import os
import platform
import re
from pathlib import Path

import keras

_CPU_INFO = Path("/proc/cpuinfo")


def describe_device() -> str:
    """Backend and device in words, such as `tensorflow on AMD EPYC (2 cores)`."""
    card = gpu()
    return f"{keras.backend.backend()} on {card[0] if card else f'{processor()} ({os.cpu_count()} cores)'}"


def processor() -> str:
    """The name of the processor, or what kind it is."""
    found = re.search(r"model name\s*: (.+)", _CPU_INFO.read_text()) if _CPU_INFO.exists() else None
    return found[1] if found else platform.processor() or platform.machine() or "CPU"


def best_precision() -> str:
    """`mixed_bfloat16` where the hardware multiplies bfloat16 faster than float32, otherwise `float32`.

    That is a GPU of compute capability 8.0, or a CPU with AMX or AVX512-BF16; JAX does not use the latter.
    """
    card = gpu()
    if card:
        return "mixed_bfloat16" if card[1] >= (8, 0) else "float32"
    flags = _CPU_INFO.read_text() if _CPU_INFO.exists() else ""
    fast = "amx_bf16" in flags or "avx512_bf16" in flags
    return "mixed_bfloat16" if fast and keras.backend.backend() != "jax" else "float32"


def device_count() -> int:
    """How many devices of the kind that it computes on the backend sees on this machine; 1 without a GPU."""
    return max(
        1,
        {"tensorflow": _count_tensorflow, "jax": _count_jax, "torch": _count_torch}[
            keras.backend.backend()
        ](),
    )


def gpu() -> tuple[str, tuple[int, int]] | None:
    """Name and compute capability of the first GPU that the backend sees."""
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()]()


def _tensorflow():
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    if not devices:
        return None
    details = tf.config.experimental.get_device_details(devices[0])
    return details.get("device_name", "GPU"), details.get("compute_capability", (0, 0))


def _jax():
    import jax

    device = jax.local_devices()[0]
    if device.platform == "cpu":
        return None
    major, _, minor = str(getattr(device, "compute_capability", "0.0")).partition(".")
    return device.device_kind, (int(major), int(minor or 0))


def _count_tensorflow() -> int:
    import tensorflow as tf

    return len(tf.config.list_physical_devices("GPU"))


def _count_jax() -> int:
    import jax

    return jax.local_device_count()


def _count_torch() -> int:
    import torch

    return torch.cuda.device_count()


def _torch():
    import torch

    if not torch.cuda.is_available():
        return None
    return torch.cuda.get_device_name(), torch.cuda.get_device_capability()
