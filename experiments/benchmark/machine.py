"""What the numbers were measured on."""

import os
import platform
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_FLAGS = "avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "asimd", "sve", "bf16"
_PACKAGES = "keras", "tensorflow", "jax", "numpy", "faiss-cpu", "scikit-learn", "pillow"


def describe(device: str, pytorch: str) -> str:
    """One line: processor, cores, instruction sets, device, versions, load and date."""
    model, flags = _processor()
    load = f"load {os.getloadavg()[0]:.2f} at the start" if hasattr(os, "getloadavg") else ""
    parts = [
        model,
        f"{cores()} cores",
        " ".join(f for f in _FLAGS if f in flags),
        device,
        f"Python {_python()}",
    ]
    parts += [f"{name} {_version(name)}" for name in _PACKAGES if _version(name)]
    return " · ".join(filter(None, [*parts, pytorch, load, f"{date.today()}"]))


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _processor() -> tuple[str, set[str]]:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    name = facts.get("model name") or platform.processor() or platform.machine()
    return name, set(facts.get("flags", facts.get("Features", "")).split())


def _python() -> str:
    return platform.python_version()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
