"""Devices by name: what is asked for is given or refused, never replaced."""

import platform
import subprocess
import sys

import pytest
import torch

from fercli.core.errors import MachineError, UsageError
from fercli.training import device
from fercli.training.device import pick_device, resolve_precision, should_compile


def test_cpu_is_always_there():
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:", "cuda:²", "²", "-1", "cpu:0", "cpu:", ""])
def test_an_unknown_name_lists_the_known(name):
    with pytest.raises(UsageError, match="it is auto, cpu, cuda"):
        pick_device(name)


def test_a_name_without_end_is_shortened():
    with pytest.raises(UsageError, match=r"no device 'xxx.*…x") as error:
        pick_device("x" * 5000)
    assert len(str(error.value)) < 120


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_a_device_that_is_not_there_is_an_error():
    with pytest.raises(MachineError, match="no CUDA device is usable here"):
        pick_device("cuda")
    with pytest.raises(MachineError, match="--device cuda:0: no CUDA device"):
        pick_device("0")
    assert pick_device("auto").type != "cuda"


def test_precision_is_fp32_on_the_cpu_unless_asked():
    assert resolve_precision("auto", torch.device("cpu")) == "fp32"
    assert resolve_precision("bf16", torch.device("cpu")) == "bf16"


@pytest.fixture
def measured_here(monkeypatch):
    """Sets what this processor says of itself and the seconds that a product takes in each precision."""

    def set_to(instructions, fp32, bf16):
        times = {torch.float32: fp32, torch.bfloat16: bf16}
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions, raising=False)
        monkeypatch.setattr(device, "_product_time", times.get)
        device.bf16_is_faster.cache_clear()

    yield set_to
    device.bf16_is_faster.cache_clear()


@pytest.mark.parametrize(
    ("instructions", "fp32", "bf16", "expected"),
    [
        ({"amx_bf16": True}, 4.0, 1.0, "bf16"),
        ({"avx512_bf16": True}, 2.0, 1.0, "bf16"),
        ({"avx512_bf16": True}, 1.0, 1.8, "fp32"),  # the instructions are there, and slow
        ({"avx512_bf16": False}, 2.0, 1.0, "fp32"),
        ({}, 2.0, 1.0, "fp32"),
    ],
)
def test_a_network_that_gains_by_bf16_gets_it_on_a_cpu_that_is_faster_in_it(
    measured_here, instructions, fp32, bf16, expected
):
    measured_here(instructions, fp32, bf16)
    assert resolve_precision("auto", torch.device("cpu"), bf16_on_cpu=True) == expected
    assert resolve_precision("auto", torch.device("cpu"), bf16_on_cpu=False) == "fp32"
    assert resolve_precision("fp32", torch.device("cpu"), bf16_on_cpu=True) == "fp32"


def test_products_are_timed_in_the_precision_asked_for(monkeypatch):
    seen = []
    monkeypatch.setattr(torch, "ones", lambda *size, dtype: seen.append(dtype) or torch.zeros(size, dtype=dtype))
    assert device._product_time(torch.bfloat16) > 0
    assert seen == [torch.bfloat16]


def test_a_torch_that_cannot_tell_trains_in_fp32(monkeypatch):
    device.bf16_is_faster.cache_clear()
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert resolve_precision("auto", torch.device("cpu"), bf16_on_cpu=True) == "fp32"


def test_short_trainings_are_not_compiled():
    assert not should_compile(700, 8, torch.device("cpu"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_counts_from_zero():
    with pytest.raises(MachineError, match="this machine has cuda:0"):
        pick_device("cuda:99")


FAULTS = """
import resource, sys, torch
from fercli.training.device import reuse_memory
if sys.argv[1] == "reuse":
    reuse_memory()
network = torch.nn.Sequential(torch.nn.Conv2d(1, 16, 3), torch.nn.ReLU(), torch.nn.Conv2d(16, 16, 3))
for step in range(8):
    if step == 3:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    network(torch.zeros(256, 1, 48, 48)).sum().backward()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this system's C library is not glibc")
def test_memory_is_kept_from_one_step_to_the_next():
    """The kernel maps few new pages where it maps all of a step's tensors anew otherwise."""
    ours, usual = (
        int(subprocess.run([sys.executable, "-c", FAULTS, mode], capture_output=True, check=True).stdout)
        for mode in ("reuse", "default")
    )
    assert ours < usual / 4
