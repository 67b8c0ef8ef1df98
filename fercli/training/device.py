"""Where a training runs and how: the device, the precision, the seed, and torch.compile where it pays."""

import copy
import ctypes
import platform
import shutil
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Literal, cast

import torch
from torch import Tensor, nn

from fercli.core.errors import MachineError, UsageError
from fercli.core.progress import Progress
from fercli.core.text import shorten
from fercli.models.locate import member_names
from fercli.models.weights import ONNX_SUFFIX

Precision = Literal["fp32", "bf16"]

#: glibc's mallopt(3): give free memory back beyond so many bytes; serve at most so many requests by mmap.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4

#: What torch calls the instructions that multiply in bf16: on x86 and on ARM.
_BF16 = ("amx_bf16", "avx512_bf16", "bf16")

#: By how much products must be faster in bf16 for a network to gain: the rest of a step gains nothing.
_BF16_GAIN = 1.3
#: Faces times epochs from which compiling is worth its warm-up, by judgement: minutes of training against a
#: warm-up that benchmarks/training.py times apart.
WORTH_IT = 200_000


def pick_device(name: str) -> torch.device:
    """The device of that name: 'auto' (CUDA, else Apple's GPU, else the CPU), 'cpu', 'cuda', 'cuda:1' or '1', 'mps'.

    Raises MachineError for a device that is asked for and not there, UsageError for an unknown name.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if name.isascii() and name.isdecimal():
        name = f"cuda:{name}"
    kind, _, index = name.partition(":")
    known = name in ("cpu", "cuda", "mps") or (kind == "cuda" and index.isascii() and index.isdecimal())
    if not known:
        raise UsageError(f"no device '{shorten(name, 40)}': it is auto, cpu, cuda, cuda:0 … or mps")
    if kind == "cuda" and not torch.cuda.is_available():
        raise MachineError(f"--device {name}: no CUDA device is usable here (--device cpu runs on the processor)")
    if kind == "cuda" and index and int(index) >= torch.cuda.device_count():
        raise MachineError(f"--device {name}: this machine has cuda:0 to cuda:{torch.cuda.device_count() - 1}")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise MachineError("--device mps: no Apple GPU is usable here (--device cpu runs on the processor)")
    return torch.device(name)


def model_device(model: str | None, name: str) -> torch.device:
    """Where a model (as `load_model` takes it) runs when the device of that name is asked for.

    What was exported to ONNX runs on the CPU: that is what 'auto' means for it. Raises UsageError where another
    device is asked for by name, and as `pick_device` does.
    """
    device = pick_device(name)
    if device.type == "cpu" or not any(member.lower().endswith(ONNX_SUFFIX) for member in member_names(model)):
        return device
    if name == "auto":
        return torch.device("cpu")
    raise UsageError(f"--device {name}: {model} runs on ONNX Runtime, on the CPU; leave --device out")


def resolve_precision(
    precision: Literal["auto", "fp32", "bf16"], device: torch.device, bf16_on_cpu: bool = False
) -> Precision:
    """What 'auto' means on a device: bf16 autocast on CUDA, and on a CPU that is faster in it for a network that
    was measured to train faster so (`bf16_on_cpu`); fp32 elsewhere."""
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if device.type == "cpu" and bf16_on_cpu and bf16_is_faster() else "fp32"


def multiplies_in_bf16() -> bool:
    """Whether this processor has instructions for bf16 products; without them autocast costs time.

    False where this version of torch cannot tell.
    """
    known: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(known.get(name) for name in _BF16)


@cache
def bf16_is_faster() -> bool:
    """Whether products of matrices are clearly faster here in bf16 than in fp32, measured once a process (about
    50 ms).

    Having the instructions is not enough: with the same ones an AMD EPYC multiplies about twice as fast in bf16,
    and an Intel Xeon whose AMX is hidden from its virtual machines half as fast.
    """
    return multiplies_in_bf16() and _product_time(torch.float32) > _BF16_GAIN * _product_time(torch.bfloat16)


def _product_time(dtype: torch.dtype) -> float:
    """Seconds of the fastest of several products, so that what else the machine does counts little."""
    matrix = torch.ones(512, 512, dtype=dtype)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        matrix @ matrix
        times.append(time.perf_counter() - start)
    return min(times)


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """The context in which a forward pass runs in that precision; weights stay fp32."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def reuse_memory() -> None:
    """Let this process keep the memory that it frees, for its next tensors, where the C library is glibc.

    By default glibc maps every large tensor anew and the kernel zeroes it page by page, which costs training on
    the CPU about a third of its time: each step frees and asks for the same tensors.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)


def seed_everything(seed: int) -> None:
    """Seed torch and hold cuDNN to algorithms that give the same result twice."""
    torch.manual_seed(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def describe(device: torch.device) -> str:
    """The device in words for a run's records, e.g. 'cpu, 2 threads' or 'cuda, NVIDIA H200'."""
    if device.type == "cuda":
        return f"{device}, {torch.cuda.get_device_name(device)}"
    return f"{device}, {torch.get_num_threads()} threads" if device.type == "cpu" else str(device)


def should_compile(faces: int, epochs: int, device: torch.device) -> bool:
    """Whether a training of so many faces and epochs is long enough to compile for, decided from the settings
    alone so that a repeated or resumed run decides the same."""
    if faces * epochs < WORTH_IT or device.type == "mps" or platform.system() == "Windows":
        return False
    return any(shutil.which(compiler) for compiler in ("g++", "clang++"))


def compiled(network: nn.Module, faces: Tensor, precision: Precision, progress: Progress) -> nn.Module:
    """The network, in training mode, compiled for batches like `faces`, sharing its weights; itself where
    compiling fails.

    The warm-up is a forward and a backward pass in that precision; what it changes is put back.
    """
    before = copy.deepcopy(network.state_dict())
    progress.say("compiling the network, once …")
    faster = _compiled(network, faces, precision, progress)
    network.load_state_dict(before)
    network.zero_grad(set_to_none=True)
    return faster


def compiled_teacher(teacher: nn.Module, faces: Tensor, progress: Progress) -> nn.Module:
    """The same for a network that is only asked, in a precision of its own."""
    progress.say("compiling the teacher, once …")
    return _compiled(teacher, faces, "fp32", progress)


def _compiled(network: nn.Module, faces: Tensor, precision: Precision, progress: Progress) -> nn.Module:
    # on a GPU a step of a small network takes longer to launch than to compute: CUDA graphs launch it whole
    mode = "reduce-overhead" if faces.device.type == "cuda" else "default"
    faster = cast(nn.Module, torch.compile(network, mode=mode))
    try:
        with autocast(faces.device, precision):
            out = faster(faces.float())
        if out.requires_grad:
            out.float().sum().backward()
    except Exception as error:  # whatever a missing compiler or header makes the backend raise
        progress.say(f"torch.compile does not work here ({type(error).__name__}): going on without, more slowly")
        return network
    return faster
