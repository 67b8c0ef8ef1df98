"""What may run a network, in how many threads, and whether PyTorch may find a GPU, told without importing it."""

import ctypes
import os
import platform
import sys
from typing import Literal

#: What runs networks: ONNX Runtime, on the CPU; PyTorch, anywhere; or the first on the CPU and the second elsewhere.
Engine = Literal["auto", "onnx", "torch"]


def count_threads() -> int:
    """How many threads to use on the CPU: OMP_NUM_THREADS, which PyTorch obeys too, else the cores that this process
    may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def may_have_gpu() -> bool:
    """Whether this machine may have a GPU that PyTorch can use: an NVIDIA or AMD driver, or an Apple chip.

    False is certain; True is for PyTorch to check.
    """
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    if os.path.exists("/dev/kfd"):  # noqa: PTH110 (AMD's driver)
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
