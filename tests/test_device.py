"""The choice of precision follows the hardware."""

import pytest

from dim import device


@pytest.mark.parametrize(
    ("backend", "gpu", "flags", "precision"),
    [
        ("tensorflow", None, "avx2 avx512f", "float32"),
        ("tensorflow", None, "avx512f avx512_bf16", "mixed_bfloat16"),
        ("torch", None, "amx_bf16 amx_tile", "mixed_bfloat16"),
        ("jax", None, "avx512_bf16", "float32"),
        ("jax", ("H100", (9, 0)), "", "mixed_bfloat16"),
        ("tensorflow", ("V100", (7, 0)), "amx_bf16", "float32"),
    ],
)
def test_bfloat16_is_chosen_where_the_hardware_has_it(monkeypatch, tmp_path, backend, gpu, flags, precision):
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}")
    monkeypatch.setattr(device, "_CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(device, "gpu", lambda: gpu)
    monkeypatch.setattr(device.keras.backend, "backend", lambda: backend)
    assert device.best_precision() == precision


def test_without_cpu_information_it_is_float32(monkeypatch, tmp_path):
    monkeypatch.setattr(device, "_CPU_INFO", tmp_path / "missing")
    monkeypatch.setattr(device, "gpu", lambda: None)
    assert device.best_precision() == "float32"


def test_this_machine_is_described_with_its_backend():
    assert device.describe_device().startswith(f"{device.keras.backend.backend()} on ")


def test_a_processor_is_called_by_its_name_where_it_has_one(monkeypatch, tmp_path):
    (tmp_path / "cpuinfo").write_text("processor : 0\nmodel name\t: Abacus 9\nflags : bead\n")
    monkeypatch.setattr(device, "_CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(device, "gpu", lambda: None)
    assert "on Abacus 9 (" in device.describe_device()
    (tmp_path / "cpuinfo").write_text("")
    assert device.processor()
